#include "program.h"

#include <ostream>

#include "check_command.h"
#include "command_line.h"
#include "completions.h"
#include "control_command.h"
#include "explain_command.h"
#include "manual_command.h"
#include "modules_command.h"
#include "new_command.h"
#include "serve_command.h"
#include "top_command.h"

namespace sluice::cli {

int run_program(const std::vector<std::string>& arguments, const Environment& environment, std::ostream& out,
                std::ostream& err) {
  const CommandLine line = parse_command_line(arguments);
  switch (line.command) {
    case CommandLine::Command::serve:
      return run_serve(line.given, environment, out, err);
    case CommandLine::Command::modules:
      return run_modules(line.given, environment, out, err);
    case CommandLine::Command::manual:
      return run_manual(line.given, out, err);
    case CommandLine::Command::control:
      return run_control(line.request, line.given, environment, out, err);
    case CommandLine::Command::explain:
      return run_explain(line.given, environment, out, err);
    case CommandLine::Command::top:
      return run_top(line.given, environment, out, err);
    case CommandLine::Command::new_module:
      return run_new(line.given, out, err);
    case CommandLine::Command::check:
      return run_check(line.given, out, err);
    case CommandLine::Command::bash_completions:
      out << bash_completions(describe_command_line());
      return 0;
    case CommandLine::Command::zsh_completions:
      out << zsh_completions(describe_command_line());
      return 0;
    case CommandLine::Command::none:
      break;
  }
  out << line.standard_output;
  err << line.standard_error;
  return line.exit_code;
}

}  // namespace sluice::cli
