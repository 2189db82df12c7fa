// The head of a FakeExchange's answer, as a filter sees it. Thread and violations as there.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "base/text.h"
#include "http/http_fields.h"
#include "http/http_status.h"
#include "support/fake_exchange.h"

namespace sluice::test {

class FakeHead final : public AnswerHead {
 public:
  explicit FakeHead(FakeExchange& exchange) : exchange_(exchange) {}

  std::uint32_t status() const override { return exchange_.code; }
  std::uint64_t size() const override { return exchange_.declared; }
  std::uint32_t field_count() const override { return static_cast<std::uint32_t>(exchange_.lines.size()); }
  Field field_at(std::uint32_t index) const override {
    Field field;
    field.name = exchange_.lines[index].first;
    field.value = exchange_.lines[index].second;
    return field;
  }
  Bytes field(Bytes name) const override {
    for (const auto& [other, value] : exchange_.lines) {
      if (equals_ignoring_case(other, name)) return value;
    }
    return {};
  }
  bool add(Bytes name, Bytes value) override {
    if (why_not_sendable(name, value) != nullptr) return false;
    exchange_.lines.emplace_back(std::string_view(name), std::string_view(value));
    return true;
  }
  bool set(Bytes name, Bytes value) override {
    if (why_not_sendable(name, value) != nullptr) return false;
    remove(name);
    return add(name, value);
  }
  void remove(Bytes name) override {
    std::erase_if(exchange_.lines, [&](const auto& line) { return equals_ignoring_case(line.first, name); });
  }
  void set_status(std::uint32_t code) override {
    if (code < 200 || code > 599) exchange_.server_.violation("a status that is not to be set");
    exchange_.code = code;
    if (forbids_content(code)) exchange_.declared = 0;
  }
  bool transform(std::uint64_t size, Transform* transform) override {
    if (exchange_.transform_ != nullptr) exchange_.server_.violation("it changes one content twice");
    exchange_.transform_.reset(transform);
    if (forbids_content(exchange_.code)) return false;
    exchange_.declared = size;
    return true;
  }
  bool replace(std::uint64_t size, Body* body) override {
    exchange_.body_.reset(body);
    if (forbids_content(exchange_.code)) return false;
    exchange_.replaced = true;
    exchange_.declared = size;
    return true;
  }

 private:
  FakeExchange& exchange_;
};

}  // namespace sluice::test
