#include "module/module_set.h"

#include "base/netstring.h"

namespace sluice {

std::string origin_of(const ModuleEntry& entry) {
  return entry.folder.empty() ? entry.file : entry.folder + "/" + entry.file;
}

std::string encode_modules(const ModuleSet& set) {
  NetstringWriter out;
  for (const ModuleEntry& entry : set) {
    out.put(entry.file).put(entry.path).put(entry.generation).put(entry.name).put(entry.default_mount);
    out.put(entry.closed ? 1 : 0).put(entry.removed ? 1 : 0).put(entry.folder);
  }
  return out.take();
}

ModuleSet decode_modules(std::string_view text) {
  ModuleSet set;
  for (NetstringReader fields(text); !fields.at_end();) {
    ModuleEntry entry;
    entry.file = fields.next();
    entry.path = fields.next();
    entry.generation = static_cast<std::uint32_t>(fields.next_number());
    entry.name = fields.next();
    entry.default_mount = fields.next();
    entry.closed = fields.next_number() != 0;
    entry.removed = fields.next_number() != 0;
    entry.folder = fields.next();
    set.push_back(std::move(entry));
  }
  return set;
}

}  // namespace sluice
