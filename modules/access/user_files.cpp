#include "access/user_files.h"

#include <utility>

namespace sluice::access {
namespace {

constexpr files::FileKind kKind{"an htpasswd file", "make it with 'htpasswd -B -c FILE NAME'", 4};

std::string number_of(const UserList& users) {
  return std::to_string(users.size()) + (users.size() == 1 ? " user" : " users");
}

}  // namespace

class UserFiles::UserFile final : private files::FileFollower {
 public:
  UserFile(Host& host, files::FileWatches& watches, const std::string& path)
      : host_(host), path_(path), file_(host, watches, path, kKind, *this) {
    file_.begin();
  }

  std::shared_ptr<const FollowedUsers> followed() const { return followed_; }
  void close() { file_.close(); }

 private:
  class Change;

  std::unique_ptr<files::FileChange> begin_change() override;
  void refuse_change(const std::string& mistake) override {
    is_wrong_ = true;
    host_.log(LogLevel::error, "the users stay as they were: " + mistake);
  }
  void take(std::shared_ptr<const UserList> users);

  Host& host_;
  const std::string path_;
  const std::shared_ptr<FollowedUsers> followed_ = std::make_shared<FollowedUsers>();
  bool is_wrong_ = false;  // the file at present
  files::FollowedFile file_;
};

class UserFiles::UserFile::Change final : public files::FileChange {
 public:
  explicit Change(UserFile& file) : file_(file), path_(file.path_) {}
  void prepare(const std::string& text) override { users_ = std::make_shared<const UserList>(text, path_); }
  void take() override { file_.take(std::move(users_)); }

 private:
  UserFile& file_;
  const std::string path_;
  std::shared_ptr<const UserList> users_;
};

std::unique_ptr<files::FileChange> UserFiles::UserFile::begin_change() {
  return std::make_unique<Change>(*this);
}

void UserFiles::UserFile::take(std::shared_ptr<const UserList> users) {
  const std::shared_ptr<const UserList> former = std::exchange(followed_->users, std::move(users));
  const UserList& present = *followed_->users;
  const bool was_wrong = std::exchange(is_wrong_, false);
  if (former == nullptr) {
    if (present.empty()) host_.log(LogLevel::warning, path_ + " has no users, so nobody has a password");
  } else if (present != *former || was_wrong) {
    host_.log(LogLevel::info, path_ + " was read again: " + number_of(present));
  }
}

UserFiles::UserFiles(Host& host) : host_(host), watches_(host) {}

UserFiles::~UserFiles() = default;

void UserFiles::close() {
  for (const auto& [path, file] : followed_) file->close();
  watches_.close();
}

std::shared_ptr<const FollowedUsers> UserFiles::follow(const std::string& path) {
  if (const auto known = followed_.find(path); known != followed_.end()) return known->second->followed();
  auto file = std::make_unique<UserFile>(host_, watches_, path);
  return followed_.emplace(path, std::move(file)).first->second->followed();
}

}  // namespace sluice::access
