#include "common/file_handler.h"

#include <cerrno>
#include <stdexcept>
#include <utility>

#include "common/http_text.h"

namespace sluice::files {
namespace {

constexpr std::uint64_t kInlineLimit = 1 << 20;
constexpr std::string_view kAllow = "GET, HEAD";

bool has_hidden_segment(std::string_view path) {
  return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

}  // namespace

// What an open on a thread came to. Shared by the work and the task, either of which may end first; the thread
// writes `opened` before `ready` is set on the loop.
struct FileHandler::OpenResult {
  Opened opened;
  bool ready = false;
};

class FileHandler::OpenWork final : public Work {
 public:
  OpenWork(FileHandler& handler, std::string path, Ticket ticket, std::shared_ptr<OpenResult> result)
      : handler_(handler), path_(std::move(path)), ticket_(ticket), result_(std::move(result)) {}
  void run() override {
    result_->opened = open_beneath(handler_.folder_.fd, path_.c_str(), Resolve::may_block);
  }
  void done(bool ran) override {
    if (!ran) result_->opened.error = EAGAIN;
    result_->ready = true;
    handler_.host_.resume(ticket_);
  }

 private:
  FileHandler& handler_;
  std::string path_;
  Ticket ticket_;
  std::shared_ptr<OpenResult> result_;
};

class FileHandler::OpenTask final : public Task {
 public:
  OpenTask(FileHandler& handler, std::string path, std::shared_ptr<OpenResult> result)
      : handler_(handler), path_(std::move(path)), result_(std::move(result)) {}
  void resumed(Exchange& exchange) override {
    if (!result_->ready) return;
    // Answering may destroy this task.
    FileHandler& handler = handler_;
    const std::string path = std::move(path_);
    const auto result = std::move(result_);
    handler.opened(exchange, path, std::move(result->opened));
  }

 private:
  FileHandler& handler_;
  std::string path_;
  std::shared_ptr<OpenResult> result_;
};

FileHandler::FileHandler(Host& host, FileCache& cache)
    : host_(host),
      cache_(cache),
      folder_(host.folder()),
      index_(std::string_view(host.option("index"))),
      default_type_(std::string_view(host.option("default_type"))),
      hidden_(host.number("hidden") != 0),
      inline_max_(host.number("inline_max")),
      revalidate_ms_(host.number("revalidate_ms")) {
  if (folder_.fd < 0) throw std::runtime_error("it has no folder to serve");
  if (inline_max_ > kInlineLimit) throw std::runtime_error("inline_max is more than 1M");
  if (index_.find('/') != std::string::npos) throw std::runtime_error("index is a name, without slashes");
  const Field type{"Content-Type", default_type_};
  FieldBlock* checked = default_type_.empty() ? nullptr : host.prepare_fields(&type, 1);
  if (checked == nullptr) throw std::runtime_error("default_type is no field value");
  host.release_fields(checked);
  cache_.allow_entries(host.number("entries_max"));
  scope_ = cache_.scope(folder_.fd, default_type_);
}

void FileHandler::handle(Exchange& exchange) {
  if (!accept_method(exchange)) return;
  if (!locate(exchange.request(), path_)) return exchange.fail(404);
  if (const FileRef file = cache_.find(scope_, path_, revalidate_ms_)) return answer(exchange, file);

  Opened found = open_beneath(folder_.fd, path_.c_str(), Resolve::cached_only);
  if (found.error == EMFILE || found.error == ENFILE) {
    cache_.shed();
    found = open_beneath(folder_.fd, path_.c_str(), Resolve::cached_only);
  }
  if (found.error == EAGAIN) return open_on_thread(exchange, path_);
  opened(exchange, path_, std::move(found));
}

// True for the methods that read; else the request has been answered.
bool FileHandler::accept_method(Exchange& exchange) {
  const Method method = exchange.request().method;
  if (method == Method::get || method == Method::head) return true;
  exchange.field("Allow", kAllow);
  if (method == Method::options) {
    exchange.status(204);
    exchange.send({});
  } else {
    exchange.fail(405);
  }
  return false;
}

// Writes where the file lies beneath the folder. False when the path names nothing that may be served.
bool FileHandler::locate(const Request& request, std::string& path) const {
  const std::string_view asked = request.path;
  if (!hidden_ && has_hidden_segment(asked)) return false;
  const bool for_index = asked.empty() || asked.ends_with('/');
  if (for_index && index_.empty()) return false;
  path.assign(folder_.path.data, folder_.path.size);
  path.append(asked);
  if (for_index) path.append(index_);
  return true;
}

void FileHandler::open_on_thread(Exchange& exchange, std::string path) {
  auto result = std::make_shared<OpenResult>();
  auto work = std::make_unique<OpenWork>(*this, path, exchange.ticket(), result);
  auto task = std::make_unique<OpenTask>(*this, std::move(path), std::move(result));
  if (!host_.offload(work.get())) return exchange.fail(503);
  static_cast<void>(work.release());
  exchange.defer(task.release());
}

void FileHandler::opened(Exchange& exchange, const std::string& path, Opened opened) {
  FileFacts facts;
  int error = opened.error;
  if (error == 0) error = read_facts(opened.fd.get(), facts);
  if (error != 0) {
    cache_.drop(scope_, path);
    return exchange.fail(status_of(error));
  }
  const std::string_view asked = exchange.request().path;
  if (facts.is_folder() && !asked.empty() && !asked.ends_with('/')) return redirect_to_folder(exchange);
  if (!facts.is_regular()) return exchange.fail(404);
  const FileRef file = cache_.insert(scope_, path, std::move(opened.fd), facts);
  if (file == nullptr) return exchange.fail(500);
  answer(exchange, file);
}

void FileHandler::redirect_to_folder(Exchange& exchange) {
  const Request& request = exchange.request();
  std::string location(std::string_view(request.mount));
  append_encoded_path(location, request.path);
  location += '/';
  // Two slashes would name another server (RFC 3986 section 4.2).
  if (location.starts_with("//")) return exchange.fail(404);
  if (request.query.size > 0) location.append("?").append(std::string_view(request.query));
  if (!exchange.field("Location", location)) return exchange.fail(404);
  exchange.fail(301);
}

}  // namespace sluice::files
