#include "conformance/case.h"

#include "conformance/tables/tables.h"

namespace sluice::conformance {

std::vector<Table> all_tables() {
  return {
      {"requests", request_cases()}, {"fields", field_cases()},
      {"framing", framing_cases()},  {"connections", connection_cases()},
      {"paths", path_cases()},       {"conditions", condition_cases()},
      {"ranges", range_cases()},     {"representations", representation_cases()},
  };
}

std::string lines(Lines all) {
  std::string text;
  for (const std::string_view line : all) text.append(line).append("\r\n");
  return text + "\r\n";
}

std::string request(std::string_view method, std::string_view target, Lines fields, std::string_view body) {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: test\r\n");
  for (const std::string_view field : fields) text.append(field).append("\r\n");
  return text.append("\r\n").append(body);
}

}  // namespace sluice::conformance
