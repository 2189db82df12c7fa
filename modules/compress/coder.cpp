#include "compress/coder.h"

#include <stdexcept>

#include "compress/brotli_coder.h"
#include "compress/gzip_coder.h"
#include "compress/zstd_coder.h"

namespace sluice::compress {

std::unique_ptr<Coder> make_coder(Coding coding) {
  switch (coding) {
    case Coding::zstd:
      return std::make_unique<ZstdCoder>();
    case Coding::br:
      return std::make_unique<BrotliCoder>();
    case Coding::gzip:
      return std::make_unique<GzipCoder>();
    case Coding::identity:
      break;
  }
  throw std::logic_error("identity needs no coder");
}

// Above these a pass of 16 KiB takes several milliseconds of the loop.
Levels levels_of(Coding coding) {
  return coding == Coding::br ? Levels{1, 5} : Levels{1, 9};
}

}  // namespace sluice::compress
