// An answer's head as a filter sees and changes it. Made for one call of the filter. Loop thread.
#pragma once

#include <sluice/filter.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "exchange/exchange.h"

namespace sluice {

class FilteredHead final : public AnswerHead {
 public:
  // REQUIRES: the exchange is answered, and its instance is the filter's.
  explicit FilteredHead(HttpExchange& exchange) : exchange_(exchange) {}

  std::uint32_t status() const override { return exchange_.answer_.status; }
  std::uint64_t size() const override { return exchange_.answer_.size; }
  std::uint32_t field_count() const override;
  Field field_at(std::uint32_t index) const override;
  Bytes field(Bytes name) const override;
  bool add(Bytes name, Bytes value) override;
  bool set(Bytes name, Bytes value) override;
  void remove(Bytes name) override;
  void set_status(std::uint32_t code) override;
  bool transform(std::uint64_t size, Transform* transform) override;
  bool replace(std::uint64_t size, Body* body) override;

 private:
  void ask_from_first() const;
  void remove_lines(std::string_view name);
  bool takes_other_content() const;
  HttpExchange& exchange_;
  // Where the line behind the last one that was asked for is, because filters ask for one after the other.
  mutable std::uint32_t next_line_ = 0;
  mutable std::size_t next_at_ = 0;
};

}  // namespace sluice
