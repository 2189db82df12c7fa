// Notes in an SQLite database, as JSON: GET and POST notes; GET, PUT and DELETE notes/{id}.
#include <sluice/kit.h>
#include <sluice/module.h>
#include <sqlite3.h>

#include <iterator>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace kit = sluice::kit;

constexpr std::uint64_t kTextMax = 64 * 1024;
constexpr sluice::OptionInfo kOptions[] = {
    {.name = "database", .help = "A file. It is made if its folder may be written to by the workers' user"},
};

struct Note {
  std::int64_t id;
  std::string text;
};

// Its methods block, so they are called on threads. One at a time gets to the database.
class Notes {
 public:
  explicit Notes(std::string_view path) : path_(path) {}
  ~Notes() { sqlite3_close(database_); }

  // Runs a statement that gives notes, with values in place of its question marks.
  std::vector<Note> run(const char* sql, const std::vector<std::string>& values) {
    const std::lock_guard lock(mutex_);
    if (!is_open_) open();
    sqlite3_stmt* prepared = nullptr;
    check(sqlite3_prepare_v2(database_, sql, -1, &prepared, nullptr));
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, &sqlite3_finalize);
    int place = 0;
    for (const std::string& value : values)
      check(sqlite3_bind_text(prepared, ++place, value.data(), static_cast<int>(value.size()), SQLITE_STATIC));
    std::vector<Note> notes;
    int result = SQLITE_OK;
    while ((result = sqlite3_step(prepared)) == SQLITE_ROW) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(prepared, 1));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(prepared, 1));  // text may have a NUL
      notes.push_back({sqlite3_column_int64(prepared, 0), std::string(text == nullptr ? "" : text, size)});
    }
    if (result != SQLITE_DONE) check(result);
    return notes;
  }

 private:
  void open() {
    sqlite3_close(database_);  // of a try that has failed
    check(sqlite3_open(path_.c_str(), &database_));
    check(sqlite3_busy_timeout(database_, 2000));  // other workers write, too
    const char* table = "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)";
    check(sqlite3_exec(database_, table, nullptr, nullptr, nullptr));
    is_open_ = true;
  }
  void check(int result) const {
    if (result != SQLITE_OK) throw std::runtime_error(path_ + ": " + sqlite3_errmsg(database_));
  }

  const std::string path_;
  std::mutex mutex_;
  sqlite3* database_ = nullptr;
  bool is_open_ = false;
};

class ApiName : public kit::Service {
 public:
  explicit ApiName(sluice::Host& host) : Service(host), notes_(host.option("database")) {
    if (host.option("database").size == 0) host.reject("it has no file: write database=/srv/api_name.db");
    on("GET", "notes", &ApiName::list);
    on("POST", "notes", &ApiName::add);
    on("GET", "notes/{id}", &ApiName::get);
    on("PUT", "notes/{id}", &ApiName::put);
    on("DELETE", "notes/{id}", &ApiName::remove);
  }

 private:
  kit::Flow list(kit::Call& call) {
    const std::string after = std::to_string(call.query_number("after", 0, 1ULL << 62));
    const auto notes = co_await call.offload(
        [&] { return notes_.run("SELECT * FROM notes WHERE id > ? ORDER BY id LIMIT 100", {after}); });
    kit::JsonText json;
    json.array();
    for (const Note& note : notes) json.object().member("id", note.id).member("text", note.text).end();
    call.json(200, json.end());
  }
  kit::Flow add(kit::Call& call) {
    const std::string text = co_await call.body(kTextMax);
    const auto notes = co_await call.offload(
        [&] { return notes_.run("INSERT INTO notes (text) VALUES (?) RETURNING *", {text}); });
    call.add_field("Location", std::string(call.request().mount) + "notes/" + std::to_string(notes[0].id));
    call.done(201);
  }
  kit::Flow get(kit::Call& call) { return one(call, "SELECT * FROM notes WHERE id = ?"); }
  kit::Flow remove(kit::Call& call) { return one(call, "DELETE FROM notes WHERE id = ? RETURNING *"); }
  kit::Flow put(kit::Call& call) { return one(call, "UPDATE notes SET text = ?2 WHERE id = ?1 RETURNING *"); }
  kit::Flow one(kit::Call& call, const char* sql) {
    std::vector<std::string> values{std::to_string(call.number("id"))};
    if (call.request().method == sluice::Method::put) values.push_back(co_await call.body(kTextMax));
    const auto notes = co_await call.offload([&] { return notes_.run(sql, values); });
    if (notes.empty()) throw kit::Refuse{404, "There is no such note"};
    call.json(200, kit::JsonText().object().member("id", notes[0].id).member("text", notes[0].text).end());
  }

  Notes notes_;
};

}  // namespace

SLUICE_MODULE(ApiName, .name = "api_name", .version = "0.1.0", .summary = "Notes", .options = kOptions,
              .option_count = std::size(kOptions), .needs = sluice::kNeedsWriting);
