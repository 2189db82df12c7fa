// One reading of an htpasswd file. It may wait for a disk.
#pragma once

#include <memory>
#include <string>

#include "access/user_list.h"
#include "common/files/file_facts.h"

namespace sluice::access {

struct UserFile {
  std::shared_ptr<const UserList> users;  // null after a mistake
  std::string mistake;                    // a sentence for whoever wrote the file
  // What the file was like. All zero if it could not be opened.
  files::FileFacts facts;
  // Its last change was so fresh that another one may leave the facts as they are.
  bool young = true;
};

// Reads the file if it differs from what `known` says, or may: otherwise gives back `known`. `inotify` then has
// watches on the file and its folder; -1 for none.
UserFile read_user_file(const std::string& path, const UserFile& known, int inotify);

}  // namespace sluice::access
