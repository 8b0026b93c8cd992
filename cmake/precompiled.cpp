// Nothing but the headers of precompiled.cmake.
