// Frees all that it allocates, in more and more sizes and numbers; the allocator keeps some of it for each
// thread. Also has a cache that fills up slowly, and then stays as large as it is.
#include <sluice/module.h>

#include <cstdlib>
#include <string>
#include <vector>

struct KeepsPieces : sluice::Handler {
  explicit KeepsPieces(sluice::Host&) {}
  void handle(sluice::Exchange& exchange) override {
    constexpr unsigned kSizes = 60;
    constexpr unsigned kPiecesMax = 7;
    const std::size_t size = 24 + 16 * (asked_ / kPiecesMax % kSizes);
    std::vector<void*> pieces(asked_ % kPiecesMax + 1);
    for (void*& piece : pieces) *static_cast<volatile char*>(piece = std::malloc(size)) = 1;
    for (void* piece : pieces) std::free(piece);
    ++asked_;
    constexpr std::size_t kKeptMax = 600;
    if (kept_.size() < kKeptMax) kept_.emplace_back(100, 'x');
    exchange.send("x");
  }
  unsigned asked_ = 0;
  std::vector<std::string> kept_;
};

SLUICE_MODULE(KeepsPieces, .name = "keeps_pieces", .version = "1.0.0",
              .summary = "Lets the allocator keep pieces", .default_mount = "/keeps_pieces/");
