// The memory that listings take: bounded for each and for all together, however slow their clients are.
#include <catch2/catch.hpp>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "common/files/owned_fd.h"
#include "common/serving/folder_listing.h"
#include "common/serving/listing_store.h"
#include "support/module_rig.h"
#include "support/temp_folder.h"

using sluice::files::HeldText;
using sluice::files::list_folder;
using sluice::files::Listing;
using sluice::files::ListingPlan;
using sluice::files::ListingStore;
using sluice::files::MemoryBudget;
using sluice::files::OwnedFd;
using sluice::files::TextBlocks;
using sluice::test::Answer;
using sluice::test::ModuleRig;
using sluice::test::RequestPlan;
using sluice::test::TempFolder;

TEST_CASE("all listings together stay within their budget", "[listing_memory]") {
  const TempFolder folder;
  const OwnedFd root(open(folder.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ListingPlan plan;
  plan.root = root.get();
  plan.memory = std::make_shared<MemoryBudget>(64 << 20);
  for (int i = 0; i < 300; ++i) folder.write(std::string(240, '"') + std::to_string(i), "");
  const std::size_t size = list_folder(plan).content.size();
  CHECK(size > 300 * 240 * 9);
  CHECK(plan.memory->used() == 0);

  plan.memory = std::make_shared<MemoryBudget>(4 * size);
  std::vector<Listing> held;
  while (true) {
    Listing made = list_folder(plan);
    REQUIRE(plan.memory->used() <= plan.memory->size());
    if (made.error != 0) {
      CHECK(made.error == ENOMEM);
      break;
    }
    CHECK(made.content.size() == size);
    held.push_back(std::move(made));
    REQUIRE(held.size() < 10);
  }
  CHECK(held.size() >= 2);
  std::size_t reserved = 0;
  for (const Listing& listing : held) {
    for (const std::string& block : listing.content.blocks()) reserved += block.capacity();
  }
  CHECK(reserved <= plan.memory->used());
  held.clear();
  CHECK(plan.memory->used() == 0);
  // Also when there is room for the names alone.
  plan.memory = std::make_shared<MemoryBudget>(300 * 400);
  CHECK(list_folder(plan).error == ENOMEM);
  CHECK(plan.memory->used() == 0);
}

TEST_CASE("equal listings are kept once", "[listing_memory]") {
  ListingStore store;
  const auto text = [&store](const std::string& content) {
    TextBlocks made(store.budget());
    for (int i = 0; i < 100; ++i) made.room_for(1000)->append(content);
    return made;
  };
  HeldText first = store.keep("a", text("one"));
  const std::size_t once = store.budget()->used();
  CHECK(once > 0);
  CHECK(first->str().size() == 300);
  HeldText second = store.keep("a", text("one"));
  CHECK(second == first);
  CHECK(store.budget()->used() == once);
  // After a change it is another text, even while the first is still being sent.
  HeldText changed = store.keep("a", text("two"));
  CHECK(changed != first);
  CHECK(store.keep("a", text("two")) == changed);
  CHECK(store.keep("b", text("two")) != changed);
  CHECK(store.budget()->used() == 2 * once);
  first.reset();
  CHECK(store.budget()->used() == 2 * once);
  second.reset();
  changed.reset();
  CHECK(store.budget()->used() == 0);
  for (int i = 0; i < 1000; ++i) store.keep(std::to_string(i), text("short-lived"));
  CHECK(store.budget()->used() == 0);
}

TEST_CASE("large texts leave memory for small ones", "[listing_memory]") {
  const auto budget = std::make_shared<MemoryBudget>(8 << 20);
  TextBlocks large(budget);
  while (large.room_for(4096) != nullptr) large.room_for(4096)->append(4096, 'x');
  CHECK(budget->used() <= budget->size() / 4 * 3);
  CHECK(budget->used() > budget->size() / 2);
  TextBlocks small(budget);
  CHECK(small.room_for(4096) != nullptr);
  // A piece larger than a block gets a block of its own.
  CHECK(TextBlocks(budget).room_for(900'000) != nullptr);
  CHECK(TextBlocks(budget).room_for(9'000'000) == nullptr);
}

TEST_CASE("slow clients of listings take bounded memory", "[listing_memory]") {
  const TempFolder folder;
  const std::string rest(240, '"');  // each takes nine bytes of a page
  for (int i = 0; i < 2500; ++i) folder.write(std::to_string(i) + rest, "");
  const TempFolder other;
  other.write("a.txt", "a");
  ModuleRig rig(SLUICE_TEST_PLUGINS "/static_sendfile.so");
  rig.mount(folder.path, {{"listing", "on"}, {"index", ""}});
  const std::size_t small = rig.mount(other.path, {{"listing", "on"}});

  std::vector<Answer> answers;
  std::uint64_t held = 0;
  for (int i = 0; i < 15; ++i) {
    RequestPlan plan;
    plan.mount = "/m" + std::to_string(i) + "/";  // the page shows it, so that no two are equal
    plan.sink.stands_still_at = 1000;
    answers.push_back(rig.start(std::move(plan)));
    REQUIRE(rig.server.run_until([&] { return answers.back()->answers > 0; }, 60'000));
    held += answers.back()->code == 200 ? answers.back()->declared : 0;
  }
  CHECK(held > 40 << 20);
  CHECK(held <= ListingStore::kSizeMax);
  CHECK(answers.front()->code == 200);
  CHECK(answers.back()->code == 503);
  CHECK(rig.get("", small)->code == 200);
  answers.clear();
  REQUIRE(rig.server.run_until([&] { return rig.server.offload_idle(); }));
  RequestPlan plan;
  plan.sink.discard = true;
  CHECK(rig.run(std::move(plan))->code == 200);
}
