// What answers for a folder: a redirect to its name with a slash at the end, or its listing.
#include <cerrno>
#include <utility>

#include "common/explain.h"
#include "common/http/http_text.h"
#include "common/serving/file_handler.h"
#include "common/serving/file_steps.h"

namespace sluice::files {
namespace {

// The server takes 28 KiB for all fields of an answer. The rest is for the other fields.
constexpr std::size_t kLocationMax = 26 * 1024;

}  // namespace

void FileHandler::redirect_to_folder(Exchange& exchange) {
  const Request& request = exchange.request();
  std::string location;
  append_encoded_path(location, request.mount);
  append_encoded_path(location, request.path);
  location += '/';
  // Two slashes would name another server (RFC 3986 section 4.2).
  if (location.starts_with("//")) return answer_error(exchange, 404);
  if (request.query.size > 0) location.append("?").append(std::string_view(request.query));
  // The target was too long if its query does not fit into the head of an answer.
  if (location.size() > kLocationMax || !exchange.field("Location", location))
    return answer_error(exchange, 414);
  explain(exchange, [] { return "it is a folder: sends the client to its name with a slash at the end"; });
  exchange.fail(301);
}

void FileHandler::list(Exchange& exchange, const std::string& index_path) {
  const Request& request = exchange.request();
  const std::size_t slash = index_path.rfind('/');
  ListingPlan plan;
  plan.root = served_.root().folder->get();
  plan.path = slash == std::string::npos ? std::string() : index_path.substr(0, slash);
  plan.shown_path = std::string(std::string_view(request.mount)) + std::string(std::string_view(request.path));
  plan.at_top = request.path.size == 0;
  plan.hidden = options_.hidden;
  plan.links = options_.links;
  plan.format = exchange.prefers("application/json", "text/html") ? ListingFormat::json : ListingFormat::html;
  plan.order = listing_order(request.query);
  plan.memory = listings_.budget();
  explain(exchange, [] { return "lists the folder"; });
  run_on_thread(exchange, std::make_shared<ListStep>(host_, listings_, served_.root().folder, std::move(plan)));
}

void FileHandler::listed(Exchange& exchange, const ListingPlan& plan, int error, HeldText content) {
  if (error == EACCES || error == EPERM) refusals_.note(plan.path);
  if (error != 0) return answer_error(exchange, status_of(error));
  if (page_fields_ != nullptr) exchange.fields(*page_fields_);
  exchange.field("Content-Type", listing_type(plan.format));
  const std::size_t size = content->size();
  exchange.stream(size, new TextBody(host_, std::move(content)));
}

}  // namespace sluice::files
