#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <string>

#include "app/commands.h"

int main(int argc, char** argv) {
  CLI::App cli("Weir watches data pipelines: Kafka consumer lag, dead letters, schemas and warehouse tables.", "weir");
  cli.set_version_flag("--version", "weir " WEIR_VERSION);
  cli.require_subcommand(1);

  std::string config = "weir.yml";
  CLI::App* run = cli.add_subcommand("run", "monitor what the configuration names, until Ctrl-C");
  run->add_option("--config,-c", config, "configuration file")->capture_default_str();
  CLI::App* validate = cli.add_subcommand("validate", "report every mistake of a configuration, as file:line:col");
  validate->add_option("--config,-c", config, "configuration file")->capture_default_str();

  weir::app::DemoOptions demo_options;
  CLI::App* demo = cli.add_subcommand("demo", "monitor a small shop that lives inside the process; needs no server");
  demo->add_option("--listen", demo_options.listen, "address of the page")->capture_default_str();
  demo->add_option("--root", demo_options.root, "folder that holds rules/ and checks/")->capture_default_str();
  demo->add_option("--folder", demo_options.folder, "where the demo keeps its files (default: a temporary folder)");

  try {
    cli.parse(argc, argv);
    if (run->parsed()) return weir::app::run(config);
    if (validate->parsed()) return weir::app::validate(config);
    return weir::app::demo(demo_options);
  } catch (const CLI::ParseError& error) {
    const int code = cli.exit(error);
    return code == 0 ? weir::app::kExitOk : weir::app::kExitUsage;
  } catch (const std::exception& error) {
    std::cerr << "weir: unexpected failure: " << error.what() << "\n";
    return weir::app::kExitFailed;
  }
}
