// Folders and files that confined workers read, by the paths that a person or the system gives them.
//
// The kernel's rule is for what was there when a worker began, and not for its path. So whoever replaces such a
// place leaves the workers without it, until new workers take over. A plan keeps what was there when it was
// made. Stateless; waits for the disks of the paths.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "settings/mount_spec.h"
#include "settings/settings.h"

namespace sluice {

struct ConfinedPlace {
  std::string path;
  UniqueFd fd;  // O_PATH; none if nothing was there
};

// Where the C library learns the addresses of names, for modules that may use the network.
inline constexpr const char* kFilesOfNames[] = {"/etc/resolv.conf",   "/etc/hosts",          "/etc/host.conf",
                                                "/etc/nsswitch.conf", "/etc/gai.conf",       "/etc/services",
                                                "/etc/protocols",     "/run/systemd/resolve"};

// The folders of files that options name, such as an htpasswd file. Programs replace such a file by another one
// of its name, so that a rule for the file alone would not last. Of a name without a slash it is the file
// alone.
std::set<std::string> named_folders(const MountSpec& mount);

// What the variables SSL_CERT_FILE, SSL_CERT_DIR and TZDIR of this process name, for libraries.
std::set<std::string> places_of_variables();

// What the settings grant, what variables name, and files of the system that other programs replace.
std::set<std::string> granted_places(const Settings& settings);

// Opens what is there now.
ConfinedPlace open_place(const std::string& path);

// Whether something is at the path that is not what these places have for it.
bool was_replaced(const std::vector<ConfinedPlace>& places, const std::string& path);

}  // namespace sluice
