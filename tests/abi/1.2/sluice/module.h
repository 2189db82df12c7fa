// The one header that a module includes, and the macro that makes a handler class into a module:
//
//     SLUICE_MODULE(Hello, .name = "hello", .version = "1.0", .summary = "Greets", .default_mount = "/hello/")
//
// The handler is made by its constructor `Hello(sluice::Host&)`, or by `static expected<unique_ptr<Hello>, E>
// create(sluice::Host&)` with E convertible to text; an exception or an error becomes Host::reject. A nested
// type `PerWorker`, derived from sluice::Shared and made from a Host&, is made once per worker. A class that is
// derived from sluice::Filter becomes a filter in the same way.
#pragma once

#include <sluice/abi.h>
#include <sluice/filter.h>
#include <sluice/handler.h>

#include <concepts>
#include <exception>
#include <string_view>

namespace sluice {

// What the author of a module says of it. `options` points to an array that lives as long as the module.
struct ModuleText {
  const char* name;
  const char* version;
  const char* summary;
  const char* default_mount = nullptr;
  const OptionInfo* options = nullptr;
  std::uint32_t option_count = 0;
  std::uint32_t needs = 0;  // kNeedsNetwork and so on, joined by |
};

namespace detail {

// Runs `make`, and turns whatever it throws into a rejection.
template <typename Make>
auto make_or_reject(Host& host, Make make) noexcept -> decltype(make()) {
  try {
    return make();
  } catch (const std::exception& error) {
    host.reject(std::string_view(error.what()));
  } catch (...) {
    host.reject("it threw something that is no std::exception while being created");
  }
  return nullptr;
}

// `Base` is Handler or Filter.
template <typename Base, typename Type>
Base* create(Host& host) noexcept {
  return make_or_reject(host, [&host]() -> Base* {
    if constexpr (requires { Type::create(host); }) {
      auto made = Type::create(host);
      if (made) return made->release();
      host.reject(std::string_view(made.error()));
      return nullptr;
    } else {
      return new Type(host);
    }
  });
}

template <typename Type>
Shared* create_shared(Host& host) noexcept {
  return make_or_reject(host, [&host]() -> Shared* { return new typename Type::PerWorker(host); });
}

template <typename Type>
constexpr ModuleInfo describe(const ModuleText& text) {
  ModuleInfo info;
  info.layout = layout_stamp();
  info.name = text.name;
  info.version = text.version;
  info.summary = text.summary;
  info.default_mount = text.default_mount;
  info.options = text.options;
  info.option_count = text.option_count;
  info.needs = text.needs;
  if constexpr (std::derived_from<Type, Filter>) {
    info.create_filter = &create<Filter, Type>;
  } else {
    info.create = &create<Handler, Type>;
  }
  if constexpr (requires { typename Type::PerWorker; }) info.create_shared = &create_shared<Type>;
  return info;
}

}  // namespace detail
}  // namespace sluice

// One symbol is all that a module exports; it is plain data, readable before any of the module's code has run.
#define SLUICE_MODULE(Type, ...)                                                            \
  extern "C" __attribute__((visibility("default"))) const sluice::ModuleInfo sluice_module; \
  constinit const sluice::ModuleInfo sluice_module =                                        \
      sluice::detail::describe<Type>(sluice::ModuleText{__VA_ARGS__})
