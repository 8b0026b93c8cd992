# The web page's assets, embedded in the library weir_web. Defined by web/ once it has a build.
add_library(weir_web INTERFACE)
