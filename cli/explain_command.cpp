#include "explain_command.h"

#include <fmt/core.h>
#include <ostream>
#include <string>
#include <utility>

#include "base/explain_query.h"
#include "base/text.h"
#include "control_command.h"
#include "exit_error.h"
#include "serve_request.h"
#include "server/explained_settings.h"
#include "server/supervisor.h"

namespace sluice::cli {
namespace {

constexpr std::string_view kAnyName = "localhost";

// Takes "https://NAME:PORT/PATH?QUERY#FRAGMENT", or the part from the path on.
Result<void> take_url(std::string_view url, ExplainQuery& query) {
  const std::string_view written = url;
  url = url.substr(0, url.find('#'));
  query.host = kAnyName;
  if (!url.starts_with('/') && url != "*") {
    query.secure = url.starts_with("https://");
    if (!query.secure && !url.starts_with("http://"))
      return fail(fmt::format("'{}' is no URL: write http://NAME/PATH, https://NAME/PATH or /PATH", written));
    url.remove_prefix(url.find("//") + 2);
    const std::size_t end = std::min(url.find_first_of("/?"), url.size());
    query.host = url.substr(0, end);
    url.remove_prefix(end);
    const std::size_t colon = query.host.rfind(':');
    const bool has_port = colon != std::string::npos && query.host.find(']', colon) == std::string::npos;
    const std::uint64_t usual = query.secure ? 443 : 80;
    const auto port = has_port ? parse_decimal(std::string_view(query.host).substr(colon + 1)) : usual;
    if (!port || *port == 0 || *port > 65'535 || query.host.empty())
      return fail(
          fmt::format("'{}' is no URL: it needs a name, and a port from 1 to 65535 if it has one", written));
    query.port = static_cast<std::uint16_t>(*port);
  }
  query.target = url.starts_with('/') || url == "*" ? std::string(url) : "/" + std::string(url);
  return {};
}

Result<void> take_field(std::string_view line, ExplainQuery& query) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0)
    return fail(fmt::format("'{}' is no field: write 'NAME: VALUE'", line));
  query.fields.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  return {};
}

Result<ExplainQuery> query_of(const OptionTexts& given) {
  ExplainQuery query;
  const auto& request = given.at("request");
  if (request.size() == 2) query.method = request.front().text;
  auto taken = take_url(request.back().text, query);
  if (const auto fields = given.find("field"); fields != given.end()) {
    for (const OptionText& field : fields->second) {
      if (taken) taken = take_field(field.text, query);
    }
  }
  if (!taken) return Unexpected(taken.error());
  if (const auto from = given.find("from"); from != given.end()) query.client = from->second.front().text;
  query.json = given.contains("json");
  if (query.encode().find('\n') != std::string::npos)
    return fail("a request's parts have no line ends: write each field with its own -H");
  return ExplainQuery::decode(query.encode());
}

}  // namespace

int run_explain(const OptionTexts& given, const Environment& environment, std::ostream& out,
                std::ostream& err) {
  const auto query = query_of(given);
  if (!query) return refuse(err, query.error());
  if (const auto config = given.find("config"); config != given.end()) {
    OptionTexts file;
    file["config"] = config->second;
    const auto request = read_serve_request(file, environment);
    if (!request) return refuse(err, request.error());
    const auto told = explain_settings(request->settings, *query);
    if (!told) return refuse(err, told.error());
    out << *told;
    return kExitFine;
  }
  return run_control("explain " + query->encode(), given, environment, out, err);
}

}  // namespace sluice::cli
