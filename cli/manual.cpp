#include "manual.h"

#include <fmt/core.h>
#include <string_view>

#include "base/text.h"
#include "serve_notes.h"
#include "serve_options.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kSummary = "serve files, and whatever other modules offer";

// Where an option may be given, in words.
std::string places(const ServeOption& option) {
  switch (option.given) {
    case Given::at_start:
      return fmt::format("--{}, {}", option.name, variable_name(option));
    case Given::to_server:
      return fmt::format("--{}, {}, {} in the file", option.name, variable_name(option), option.name);
    case Given::to_sites:
      return fmt::format("--{}, {}, {} in the file and in [[site]]", option.name, variable_name(option),
                         option.name);
    case Given::in_site:
      break;
  }
  return fmt::format("{} in [[site]]", option.name);
}

std::string heading(const ServeOption& option) {
  const std::string name = option.given == Given::in_site ? option.name : std::string("--") + option.name;
  return option.argument == nullptr ? name : name + " " + option.argument;
}

std::string help_of(const ServeOption& option) {
  std::string help = option.help;
  if (option.fallback != nullptr) help += " [" + option.fallback() + "]";
  return help;
}

// As man(7) needs it: no character with a meaning of its own.
std::string in_roff(std::string_view text) {
  std::string escaped;
  for (const char byte : text) {
    if (escaped.empty() || escaped.back() == '\n') {
      if (byte == '.' || byte == '\'') escaped += "\\&";
    }
    if (byte == '\\') {
      escaped += "\\e";
    } else if (byte == '-') {
      escaped += "\\-";
    } else {
      escaped += byte;
    }
  }
  return escaped;
}

// Without the marks of Markdown.
std::string in_markdown(std::string_view text) {
  std::string escaped;
  for (const char byte : text) {
    if (std::string_view("*_[]<>|\\").find(byte) != std::string_view::npos) escaped += '\\';
    escaped += byte;
  }
  return escaped;
}

// Calls `begin` for each group of options, and `each` for each of its options.
template <typename Begin, typename Each>
void for_all_options(Begin begin, Each each) {
  std::string_view group;
  for (const ServeOption& option : serve_options()) {
    if (group != option.group) begin(group = option.group);
    each(option);
  }
}

}  // namespace

std::string manual_page() {
  std::string page = fmt::format(".TH SLUICE 1 \"\" \"sluice {}\" \"User Commands\"\n", SLUICE_VERSION);
  page += fmt::format(".SH NAME\nsluice \\- {}\n", in_roff(kSummary));
  page += ".SH SYNOPSIS\n.B sluice serve\n[\\fIOPTIONS\\fR]\n.SH OPTIONS\n";
  for_all_options([&](std::string_view group) { page += fmt::format(".SS {}\n", in_roff(group)); },
                  [&](const ServeOption& option) {
                    page += fmt::format(".TP\n\\fB{}\\fR\n{}\n.br\n{}\n", in_roff(heading(option)),
                                        in_roff(help_of(option)), in_roff(places(option)));
                  });
  page += fmt::format(".SH NOTES\n.nf\n{}\n.fi\n", in_roff(kServeNotes));
  return page;
}

std::string reference_page() {
  std::string page = fmt::format(
      "# sluice serve\n\nThis page is made by `sluice manual --markdown`. Each option stands with the places "
      "where it "
      "may be given.\n");
  for_all_options([&](std::string_view group) { page += fmt::format("\n## {}\n\n", in_markdown(group)); },
                  [&](const ServeOption& option) {
                    page += fmt::format("- **`{}`**: {}\n  <br>`{}`\n", heading(option),
                                        in_markdown(help_of(option)), places(option));
                  });
  return page + fmt::format("\n## Notes\n\n```\n{}\n```\n", kServeNotes);
}

}  // namespace sluice::cli
