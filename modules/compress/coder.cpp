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

Levels levels_of(Coding coding) {
  switch (coding) {
    case Coding::zstd:
      return {1, 5};
    case Coding::br:
      return {1, 4};
    default:
      return {1, 6};
  }
}

}  // namespace sluice::compress
