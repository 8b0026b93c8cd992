#include <exception>
#include <iostream>

#include "app/cli.h"
#include "app/commands.h"

int main(int argc, char** argv) {
  try {
    return weir::app::run_command_line(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "weir: unexpected failure: " << error.what() << "\n";
    return weir::app::kExitFailed;
  }
}
