#include "common/serving/file_handler.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/explain.h"
#include "common/files/local_disks.h"
#include "common/files/releases.h"
#include "common/http/html_wish.h"
#include "common/serving/file_decisions.h"
#include "common/serving/file_steps.h"
#include "common/serving/missing_files.h"

namespace sluice::files {
namespace {

constexpr std::uint64_t kNow = ~std::uint64_t{0};
constexpr std::string_view kAllow = "GET, HEAD, OPTIONS";

// /.well-known/ is where browsers, certificate authorities and others look (RFC 8615). It is meant to be
// public, although its name begins with a dot.
bool is_well_known(std::string_view path) {
  constexpr std::string_view kName = ".well-known";
  return path.starts_with(kName) && (path.size() == kName.size() || path[kName.size()] == '/');
}

bool has_hidden_segment(std::string_view path) {
  if (is_well_known(path)) return path.find("/.") != std::string_view::npos;
  return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

// Compares in whole seconds: tools that compress or copy a file often set its time no finer. An encoded file
// that is older belongs to an older plain file.
bool is_older(const FileFacts& facts, const FileFacts& than) {
  return facts.mtime_s < than.mtime_s;
}

}  // namespace

Progress TextBody::pump(Sink& sink) {
  const std::vector<std::string>& blocks = content_->blocks();
  for (; block_ < blocks.size(); ++block_, sent_ = 0) {
    const std::string& block = blocks[block_];
    while (sent_ < block.size()) {
      const std::uint64_t size = std::min<std::uint64_t>(block.size() - sent_, sink.room());
      if (size == 0) return Progress::more;
      const Bytes piece(block.data() + sent_, size);
      const Moved moved = sink.write(&piece, 1);
      sent_ += moved.size;
      if (moved.status == Io::full) return Progress::more;
      if (moved.status != Io::ok) return Progress::failed;
    }
  }
  return Progress::done;
}

FileHandler::FileHandler(Host& host, FileCache& cache, ListingStore& listings)
    : host_(host),
      cache_(cache),
      listings_(listings),
      options_(host),
      served_(host, cache, options_.revalidate_ms),
      refusals_(host, host.folder().fd, options_.links),
      lookup_{cache.scope(served_.root(), options_.rules()), served_.root(), options_.links,
              options_.revalidate_ms},
      encoded_lookup_{cache.scope(served_.root(), options_.rules() + "\nencoded"), served_.root(),
                      options_.links, options_.revalidate_ms} {
  learn_mounts();
  common_fields_ =
      prepare_common_fields(options_.cache_control, options_.precompressed ? "Accept-Encoding" : "");
  // A fallback page or a listing may be another one the next time, even if files may be kept for long.
  if (!options_.fallback.empty() || options_.listing) {
    page_fields_ = prepare_common_fields(options_.cache_control.empty() ? "" : "no-cache",
                                         options_.precompressed ? "Accept-Encoding, Accept" : "Accept");
  }
  cache_.allow_entries(options_.entries_max);
  warn_of_missing(host, options_);
}

FileHandler::~FileHandler() {
  if (common_fields_ != nullptr) host_.release_fields(common_fields_);
  if (page_fields_ != nullptr) host_.release_fields(page_fields_);
}

// Null when there are none.
FieldBlock* FileHandler::prepare_common_fields(std::string_view cache_control, std::string_view vary) {
  Field lines[3];
  std::uint32_t count = 0;
  if (!cache_control.empty()) lines[count++] = {"Cache-Control", cache_control};
  if (options_.nosniff) lines[count++] = {"X-Content-Type-Options", "nosniff"};
  if (!vary.empty()) lines[count++] = {"Vary", vary};
  return count > 0 ? host_.prepare_fields(lines, count) : nullptr;
}

// By any name it was asked for, and in any coding.
bool FileHandler::is_fallback(const OpenFile& file) const {
  if (options_.fallback.empty()) return false;
  std::string_view rest = file.path();
  for (const std::string* part : {&served_.prefix(), &options_.release, &options_.fallback}) {
    if (!rest.starts_with(*part)) return false;
    rest.remove_prefix(part->size());
  }
  if (rest.empty()) return true;
  return options_.precompressed && (rest == coding_suffix(Coding::zstd) || rest == coding_suffix(Coding::br) ||
                                    rest == coding_suffix(Coding::gzip));
}

void FileHandler::add_common_fields(Exchange& exchange, const OpenFile& file) const {
  const FieldBlock* const lines = is_fallback(file) ? page_fields_ : common_fields_;
  if (lines != nullptr) exchange.fields(*lines);
}

void FileHandler::handle(Exchange& exchange) {
  cache_.look(exchange.request().arrived_ns);
  if (!served_.is_known()) {
    return run_on_thread(exchange, std::make_shared<FindFolderStep>(served_.to_search()));
  }
  begin(exchange);
}

void FileHandler::begin(Exchange& exchange) {
  if (!accept_method(exchange)) return;
  if (!locate(exchange.request(), path_)) {
    explain(exchange, [&] { return why_not_located(exchange.request()); });
    return answer_error(exchange, 404);
  }
  // The common case answers without another search, and allocates nothing.
  if (!options_.precompressed && !options_.hash_etags) {
    if (const FileRef file = cache_.find(lookup_, path_, look_since(exchange.request())))
      return answer(exchange, file, Coding::identity);
  }
  Search search;
  search.path = path_;
  seek(exchange, std::move(search));
}

// True for the methods that read. For others the request has been answered.
bool FileHandler::accept_method(Exchange& exchange) {
  const Method method = exchange.request().method;
  if (method == Method::get || method == Method::head) return true;
  if (method == Method::other) {
    answer_error(exchange, 501);
    return false;
  }
  exchange.field("Allow", kAllow);
  if (method == Method::options) {
    exchange.status(204);
    exchange.send({});
  } else {
    answer_error(exchange, 405);
  }
  return false;
}

// Writes where the file lies beneath the folder. False when the path names nothing that may be served.
bool FileHandler::locate(const Request& request, std::string& path) const {
  const std::string_view asked = request.path;
  if (!options_.hidden && has_hidden_segment(asked)) return false;
  path = served_.prefix();
  path.append(options_.release);
  path.append(asked);
  const bool for_folder = asked.empty() || asked.ends_with('/');
  if (for_folder && options_.indexes.empty() && !options_.listing) return false;
  if (for_folder) path.append(options_.indexes.empty() ? "." : options_.indexes.front());
  return true;
}

std::string_view FileHandler::why_not_located(const Request& request) const {
  return !options_.hidden && has_hidden_segment(request.path)
             ? "a name of the path begins with a dot: without hidden=on it is not served"
             : "it would be a folder: index= and listing= do not let it answer for one";
}

// A file sent from memory may be as old as the last look, which requests share. For content that is read
// later, the look is taken now.
std::uint64_t FileHandler::look_since(const Request& request) const {
  const bool in_parts = std::any_of(request.fields, request.fields + request.field_count,
                                    [](const Field& field) { return field.id == FieldId::range; });
  return in_parts || !sends_files_as_they_are() ? kNow : request.arrived_ns;
}

const FileCache::Lookup& FileHandler::lookup_for(const Search& search) const {
  return search.purpose == Search::For::encoded ? encoded_lookup_ : lookup_;
}

std::string_view FileHandler::type_of(std::string_view path) const {
  return options_.types.type_of(path, options_.default_type);
}

std::string_view FileHandler::type_for(const Search& search) const {
  return search.purpose == Search::For::encoded ? std::string_view(search.plain->type()) : type_of(search.path);
}

void FileHandler::seek(Exchange& exchange, Search search) {
  if (const FileRef file = cache_.find(lookup_for(search), search.path, look_since(exchange.request()))) {
    return found(exchange, std::move(search), file);
  }
  const std::shared_ptr<const OwnedFd>& folder = served_.root().folder;
  const auto open = [&] {
    return open_beneath(folder->get(), search.path.c_str(), Resolve::cached_only, options_.links);
  };
  Opened opened_now = open();
  if (opened_now.error == EMFILE || opened_now.error == ENFILE) {
    cache_.shed();
    opened_now = open();
  }
  if (opened_now.error == EAGAIN) {
    return run_on_thread(exchange,
                         std::make_shared<OpenStep>(host_, folder, options_.links, std::move(search)));
  }
  opened(exchange, std::move(search), folder, std::move(opened_now));
}

void FileHandler::opened(Exchange& exchange, Search search, std::shared_ptr<const OwnedFd> folder,
                         Opened opened) {
  const FileFacts& facts = opened.facts;
  if (const int error = opened.error; error != 0) {
    if (error == EACCES || error == EPERM) refusals_.note(search.path);
    cache_.drop(lookup_for(search).scope, search.path);
    if (!exchange.is_explained()) return missing(exchange, std::move(search), status_of(error));
    return run_on_thread(
        exchange, std::make_shared<WhyNotStep>(std::move(folder), options_.links, error, std::move(search)));
  }
  if (!facts.is_regular()) cache_.drop(lookup_for(search).scope, search.path);
  const std::string_view asked = exchange.request().path;
  const bool for_request = search.purpose == Search::For::request;
  if (for_request && facts.is_folder() && !asked.empty() && !asked.ends_with('/')) {
    return redirect_to_folder(exchange);
  }
  if (!facts.is_regular()) {
    explain(exchange, [&] { return search.path + " is no regular file"; });
    return missing(exchange, std::move(search), 404);
  }
  const FileRef file = cache_.insert(lookup_for(search), search.path, std::move(folder), std::move(opened.fd),
                                     facts, type_for(search), opened.local);
  if (file == nullptr) return exchange.fail(500);
  found(exchange, std::move(search), file);
}

void FileHandler::found(Exchange& exchange, Search search, const FileRef& file) {
  if (options_.hash_etags && search.purpose != Search::For::error && cache_.wants_hash(*file)) {
    return run_on_thread(exchange, std::make_shared<HashStep>(std::move(search), file));
  }
  serve(exchange, std::move(search), file);
}

void FileHandler::serve(Exchange& exchange, Search search, const FileRef& file) {
  switch (search.purpose) {
    case Search::For::request:
    case Search::For::fallback:
      if (options_.precompressed && sends_files_as_they_are()) {
        search.plain = file;
        return seek_encoded(exchange, std::move(search));
      }
      return answer(exchange, file, Coding::identity);
    case Search::For::encoded:
      return serve_encoded(exchange, std::move(search), file);
    case Search::For::error:
      explain(exchange, [&] { return "answers with the page " + search.path; });
      exchange.status(search.status);
      if (!options_.fallback.empty())
        exchange.field("Vary", "Accept");  // another Accept may get that page as an answer
      exchange.field("Content-Type", file->type());
      return send_part(exchange, file, 0, file->facts().size);
  }
}

void FileHandler::serve_encoded(Exchange& exchange, Search search, const FileRef& file) {
  const FileFacts& facts = file->facts();
  const FileFacts& plain = search.plain->facts();
  // An empty compressed file of a file with content is a failed compression, or one that is still at work.
  const bool unfinished = facts.size == 0 && plain.size > 0;
  if (is_older(facts, plain) || unfinished || file->decodable == Known::no) {
    explain(exchange, [&] {
      return "leaves " + file->path() +
             (is_older(facts, plain) ? " out: it is older than the plain file"
              : unfinished           ? " out: it is empty, and the plain file is not"
                                     : " out: browsers cannot decode it");
    });
    return seek_encoded(exchange, std::move(search));
  }
  const Coding coding = search.codings.begin()[search.tried - 1];
  if (file->decodable == Known::yes || coding == Coding::gzip) return answer(exchange, file, coding);
  run_on_thread(exchange, std::make_shared<DecodableStep>(std::move(search), file, coding));
}

void FileHandler::missing(Exchange& exchange, Search search, std::uint32_t status) {
  const std::string_view asked = exchange.request().path;
  const bool for_folder = asked.empty() || asked.ends_with('/');
  switch (search.purpose) {
    case Search::For::encoded:
      return seek_encoded(exchange, std::move(search));
    case Search::For::error:
      return exchange.fail(search.status);
    case Search::For::fallback:
      return answer_error(exchange, 404);
    case Search::For::request:
      if (status == 404 && for_folder && ++search.index < options_.indexes.size()) {
        search.path = base() + std::string(asked) + options_.indexes[search.index];
        return seek(exchange, std::move(search));
      }
      if (status == 404 && for_folder && options_.listing) return list(exchange, search.path);
      if (status == 404 && !options_.release.empty() && !search.in_releases && has_hash_in_name(asked))
        return seek_in_releases(exchange, std::move(search));
      if (status == 404 && !options_.fallback.empty()) {
        const char* const why = why_no_fallback(exchange.request());
        if (why == nullptr) return seek_fallback(exchange);
        explain(exchange, [why] { return std::string("fallback= does not answer: ") + why; });
      }
      return answer_error(exchange, status);
  }
}

// Tries the next of the client's codings. When none is left, the plain file answers.
void FileHandler::seek_encoded(Exchange& exchange, Search search) {
  if (search.purpose != Search::For::encoded) {
    search.purpose = Search::For::encoded;
    search.codings = preferred_codings(exchange.request());
    explain(exchange, [&] { return wanted_codings(search.codings); });
  }
  const bool left = search.tried < search.codings.size();
  const Coding coding = left ? search.codings.begin()[search.tried] : Coding::identity;
  if (coding == Coding::identity) return answer(exchange, search.plain, coding);
  ++search.tried;
  search.path = search.plain->path();
  search.path += coding_suffix(coding);
  seek(exchange, std::move(search));
}

// The fallback is for paths that a person may have opened as a page. A missing script or image stays missing:
// HTML in its place helps nobody, and caches would keep it. Programs ask for well-known files, and take any
// page for a yes.
const char* FileHandler::why_no_fallback(const Request& request) const {
  if (is_well_known(request.path)) return "programs ask for well-known names, not people";
  const HtmlWish wish = html_wish(request);
  if (wish == HtmlWish::refused) return "the client does not take HTML";
  const std::string_view path = request.path;
  const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) return nullptr;
  // An extension that has a type tells what was asked for. One without may be a name or a number of a route.
  const std::string_view type = options_.types.type_of(name, "");
  if (type.empty()) return wish == HtmlWish::named ? nullptr : "Accept does not name text/html";
  const bool is_page = type.starts_with("text/html") || type.starts_with("application/xhtml+xml");
  return is_page ? nullptr : "the name has the extension of another type than HTML";
}

void FileHandler::seek_fallback(Exchange& exchange) {
  explain(exchange, [&] { return "answers with the fallback " + options_.fallback; });
  Search search;
  search.purpose = Search::For::fallback;
  search.path = base() + options_.fallback;
  seek(exchange, std::move(search));
}

void FileHandler::answer_error(Exchange& exchange, std::uint32_t status) {
  if (options_.errors.empty()) return exchange.fail(status);
  Search search;
  search.purpose = Search::For::error;
  search.status = status;
  search.path = base() + options_.errors + std::to_string(status) + ".html";
  seek(exchange, std::move(search));
}

void FileHandler::run_on_thread(Exchange& exchange, std::shared_ptr<Step> step) {
  auto work = std::make_unique<StepWork>(step, host_, exchange.ticket());
  if (!host_.offload(work.get())) {
    explain(exchange, [] { return "answers 503: too many files wait for a disk"; });
    return exchange.fail(503);
  }
  static_cast<void>(work.release());
  if (resuming_ != nullptr) {
    resuming_->wait_for(std::move(step));
  } else {
    exchange.defer(new SearchTask(*this, std::move(step)));
  }
}

}  // namespace sluice::files
