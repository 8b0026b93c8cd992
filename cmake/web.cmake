# The library weir_web: web/ bundled by esbuild and embedded as C++. npm runs only when the lock file changed, the
# bundler only when a source did.
find_program(NPM npm REQUIRED)
find_program(NODE NAMES node nodejs REQUIRED)
set(WEB ${CMAKE_SOURCE_DIR}/web)
set(WEB_BUILD ${CMAKE_BINARY_DIR}/web)
file(GLOB_RECURSE WEB_SOURCES CONFIGURE_DEPENDS ${WEB}/src/*)

add_custom_command(
  OUTPUT ${WEB_BUILD}/packages.stamp
  COMMAND ${NPM} ci --silent --no-progress
  COMMAND ${CMAKE_COMMAND} -E make_directory ${WEB_BUILD}
  COMMAND ${CMAKE_COMMAND} -E touch ${WEB_BUILD}/packages.stamp
  DEPENDS ${WEB}/package-lock.json
  WORKING_DIRECTORY ${WEB}
  COMMENT "Installing the web page's packages"
  VERBATIM)
add_custom_command(
  OUTPUT ${WEB_BUILD}/web_assets.cpp
  COMMAND ${NODE} build.mjs ${WEB_BUILD}/dist
  COMMAND ${NODE} embed.mjs ${WEB_BUILD}/dist ${WEB_BUILD}/web_assets.cpp
  DEPENDS ${WEB_BUILD}/packages.stamp ${WEB_SOURCES} ${WEB}/build.mjs ${WEB}/embed.mjs
  WORKING_DIRECTORY ${WEB}
  COMMENT "Bundling the web page"
  VERBATIM)

add_library(weir_web STATIC ${WEB_BUILD}/web_assets.cpp)
target_include_directories(weir_web PUBLIC ${CMAKE_SOURCE_DIR}/src)
