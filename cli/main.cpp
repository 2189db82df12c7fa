#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include "program.h"

int main(int argc, char** argv) {
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  };
  return sluice::cli::run_program({argv + (argc > 0 ? 1 : 0), argv + argc}, environment, std::cout, std::cerr);
}
