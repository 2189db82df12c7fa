#include "check/file_step.h"

#include <cxxabi.h>
#include <dlfcn.h>

#include <fmt/core.h>
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <set>

#include "check/elf_image.h"
#include "check/needed_libraries.h"
#include "module/module_file.h"
#include "module/module_needs.h"
#include "settings/mount_spec.h"
#include "settings/option_value.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kSymbol = "sluice_module";
constexpr std::string_view kOfSanitizer = "__odr_asan";  // AddressSanitizer exports such a mark for each global
// Compilers export these from every module, even if its author hides all symbols.
constexpr std::string_view kOfRust[] = {"rust_eh_personality", "rust_panic", "rust_begin_unwind"};
constexpr std::size_t kNamesMax = 3;

std::string readable(const std::string& symbol) {
  int status = 0;
  char* text = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status);
  const std::string name = status == 0 && text != nullptr ? text : symbol;
  std::free(text);
  return name;
}

// "a, b, c and 4 more"; empty for no symbols.
std::string names_of(const std::vector<ElfSymbol>& symbols,
                     const std::function<bool(const ElfSymbol&)>& wanted) {
  std::string names;
  std::size_t count = 0;
  for (const ElfSymbol& symbol : symbols) {
    if (!wanted(symbol)) continue;
    if (++count <= kNamesMax) names += (names.empty() ? "" : ", ") + readable(symbol.name);
  }
  if (count > kNamesMax) names += fmt::format(" and {} more", count - kNamesMax);
  return names;
}

void check_exports(const ElfImage& image, Findings& findings) {
  const auto is_the_one = [](const ElfSymbol& symbol) { return symbol.defined && symbol.name == kSymbol; };
  if (names_of(image.symbols, is_the_one).empty()) {
    findings.fail("exports", "it exports no sluice_module: write SLUICE_MODULE at the end of one source file");
  }
  const auto is_of_compiler = [](const std::string& name) {
    return name.starts_with(kOfSanitizer) || name.starts_with("__rust_") ||
           std::find(std::begin(kOfRust), std::end(kOfRust), name) != std::end(kOfRust);
  };
  const std::string others = names_of(image.symbols, [&](const ElfSymbol& symbol) {
    return symbol.defined && !symbol.unique && symbol.name != kSymbol && !is_of_compiler(symbol.name);
  });
  if (!others.empty()) {
    findings.fail(
        "exports",
        fmt::format("it exports {} besides sluice_module: link it with a version script that makes all else "
                    "local, or compile it with -fvisibility=hidden and link it with -Wl,--exclude-libs,ALL",
                    others));
  }
  const std::string unique =
      names_of(image.symbols, [](const ElfSymbol& symbol) { return symbol.defined && symbol.unique; });
  if (!unique.empty()) {
    findings.fail(
        "unique-symbols",
        fmt::format("it has the unique symbol {}, which keeps it in memory when it is swapped: compile it "
                    "with -fno-gnu-unique, or make the symbol local by a version script",
                    unique));
  }
}

void check_libraries(const ElfImage& image, const std::string& file, Findings& findings) {
  std::vector<void*> libraries{RTLD_DEFAULT};
  for (const NeededLibrary& library : load_needed(image, file)) {
    if (library.handle != nullptr) {
      libraries.push_back(library.handle);
    } else if (library.error.empty()) {
      findings.fail(
          "libraries",
          fmt::format("it needs {}, which is not found: install it, or link it statically", library.name));
    } else {
      findings.fail("libraries",
                    fmt::format("it needs {}, which cannot be loaded: {}", library.name, library.error));
    }
  }
  const std::string missing = names_of(image.symbols, [&](const ElfSymbol& symbol) {
    if (symbol.defined || symbol.weak) return false;
    for (void* library : libraries) {
      if (::dlsym(library, symbol.name.c_str()) != nullptr) return false;
    }
    return true;
  });
  if (!missing.empty()) {
    findings.fail("symbols",
                  fmt::format("nothing provides {}: add the source file or library that does, and link with "
                              "-Wl,--no-undefined",
                              missing));
  }
}

// Checks what ModuleFile::load lets pass.
void check_option(const OptionInfo& option, std::set<std::string>& names, Findings& findings) {
  const std::string name = option.name;
  if (!names.insert(name).second)
    findings.fail("options", fmt::format("it has two options {}: rename one", name));
  if (name == "root") findings.fail("options", "the option root is the server's own: rename it");
  const auto written = parse_mount(fmt::format("/check/=check:{}=value", name));
  if (!written)
    findings.fail("options", fmt::format("the option {} cannot be set: {}", name, written.error().message));
  if (option.type > OptionType::list) {
    return findings.fail("options",
                         fmt::format("the option {} has a type that this sluice does not know", name));
  }
  if (option.type == OptionType::choice && (option.choices == nullptr || *option.choices == '\0')) {
    return findings.fail(
        "options", fmt::format("the option {} is a choice without choices: write them as \"one|two\"", name));
  }
  const auto valid = check_fallback(option);
  if (!valid) {
    findings.fail("options", "its fallback does not suit its type: " + valid.error().message);
  } else if (!sluice::check_option(option, option.fallback)) {
    findings.advise(
        "options",
        fmt::format("the fallback of the option {} has no unit, and users have to write one: write {}", name,
                    readable_fallback(option.type, option.fallback)));
  }
  if (*option.help == '\0') {
    findings.advise("options", fmt::format("the option {} has no help: say in a few words what it does", name));
  }
}

// Grants are the administrator's, so a need is said, and no fault.
void check_needs(const std::string& path, const ModuleInfo& info, Findings& findings) {
  const std::uint32_t needs = needs_of(info);
  if (needs != 0) {
    findings.advise("needs",
                    fmt::format("a server refuses it without --grant {}={}", info.name, needs_text(needs)));
  }
  const std::string refused = refused_calls(Settings{}, path, info.name, needs);
  if (!refused.empty()) findings.advise("needs", refused + ", and declare it as .needs of SLUICE_MODULE");
}

}  // namespace

void check_tables(const ModuleUnderCheck& subject, Findings& findings) {
  const auto image = read_elf(subject.copy(0), "it");
  if (!image) {
    findings.fail("load", image.error().message);
    return findings.stop();
  }
  check_exports(*image, findings);
  for (const ElfSymbol& symbol : image->symbols) {
    // A weak reference belongs to a run-time library that can do without it: Rust's has one in every module.
    if (symbol.defined || symbol.weak || symbol.name.rfind("__cxa_thread_atexit", 0) != 0) continue;
    findings.fail(
        "thread-locals",
        "a thread_local of it has a destructor, which keeps it in memory when it is swapped: keep the "
        "object in the handler or in its PerWorker");
  }
  if (image->executable_stack) {
    findings.fail("stack", "it makes the whole server's stack executable: link it with -Wl,-z,noexecstack");
  }
  if (image->text_relocations) {
    findings.fail("text", "its code is changed while it is loaded: compile everything in it with -fPIC");
  }
  if (image->static_tls) {
    findings.advise(
        "static-tls",
        "it takes static thread-local storage, a small block that unloading does not give back, so after some "
        "swaps the workers have to be replaced: compile everything in it without -ftls-model=initial-exec");
  }
  if (!image->debug_info) {
    findings.advise("debug-info",
                    "without debug information the log of a crash names no lines: compile it with -g");
  }
  check_libraries(*image, subject.request().file, findings);
}

void check_description(const ModuleUnderCheck& subject, Findings& findings) {
  const auto module = ModuleFile::load(subject.copy(0), "it");
  if (!module) {
    findings.fail("load", module.error().message);
    return findings.stop();
  }
  const ModuleInfo& info = (*module)->info();
  const std::string name = info.name;
  const auto written = parse_mount("/check/=" + name);
  if (!written) findings.fail("description", "no mount can name it: " + written.error().message);
  if (*info.version == '\0') findings.fail("description", "its version is empty: write one, such as 1.0.0");
  if (*info.summary == '\0')
    findings.advise("description", "its summary is empty: say in a few words what it does");
  check_needs(subject.copy(0), info, findings);
  std::set<std::string> names;
  for (std::uint32_t i = 0; i < info.option_count; ++i) check_option((*module)->option(i), names, findings);
  if (findings.failed("options")) findings.stop();
  if ((*module)->filter_maker() != nullptr) {
    if (info.default_mount != nullptr) findings.fail("mount", "a filter has no default mount: remove it");
  } else if (info.default_mount == nullptr) {
    findings.advise("mount", "it has no default mount, so that nothing answers until a --mount names it");
  } else if (const auto mount = parse_mount(std::string(info.default_mount) + "=check"); !mount) {
    findings.fail("mount", "its default mount cannot be used: " + mount.error().message);
  } else if (mount->prefix != info.default_mount) {
    findings.fail("mount", "its default mount ends without a slash: write it as " + mount->prefix);
  }
}

}  // namespace sluice::cli
