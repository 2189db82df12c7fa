// Finds which route a request takes: by its path below the mount, and its method.
//
//     kit::Router<Action> router;
//     router.on("GET", "items/{id}", action);
//
// A pattern is a path without a slash at its front. A segment {name} stands for any one segment, and {name...}
// at the end for all that follow, at least one. Where several patterns fit, the one with the earlier literal
// segment wins, and {name} wins over {name...}. "items" and "items/" are two paths, as they are to clients.
//
// HEAD is answered by the route of GET, and OPTIONS by the router, where they have no route of their own. So is
// CONNECT, by that of GET: over HTTP/2 it asks for what GET with Upgrade asks for over HTTP/1.1 (RFC 8441).
// One thread at a time; does not change once requests come.
#pragma once

#include <sluice/handler.h>
#include <sluice/kit/request.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::kit {

// What the segments {name} of a path were. Owns its texts.
class PathParameters {
 public:
  void add(std::string_view name, std::string_view value) { pairs_.emplace_back(name, value); }
  // Throws std::logic_error if the pattern has no such segment: that is a mistake of the module.
  const std::string& at(std::string_view name) const {
    for (const auto& [other, value] : pairs_) {
      if (other == name) return value;
    }
    throw std::logic_error("the route's pattern has no {" + std::string(name) + "}");
  }
  std::size_t size() const { return pairs_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

namespace detail {

// One pattern, taken apart.
class RoutePattern {
 public:
  // Throws std::invalid_argument, with a sentence, if the pattern is none.
  explicit RoutePattern(std::string_view pattern) : text_(pattern) {
    std::string_view rest = pattern;
    if (rest.starts_with('/')) refuse("begins with a slash: write it as it follows the mount");
    for (bool is_last = rest.empty(); !is_last;) {
      is_last = rest.find('/') == std::string_view::npos;
      segments_.push_back(segment(take_until(rest, '/'), is_last));
    }
  }

  // Whether the path fits; then, what its segments are.
  bool match(std::string_view path, PathParameters& parameters) const {
    bool has_more = !path.empty();
    for (const Segment& segment : segments_) {
      if (!has_more) return false;
      has_more = segment.kind != Kind::rest && path.find('/') != std::string_view::npos;
      const std::string_view text = segment.kind == Kind::rest ? path : take_until(path, '/');
      if (segment.kind == Kind::literal ? text != segment.text : text.empty()) return false;
      if (segment.kind != Kind::literal) parameters.add(segment.text, text);
    }
    return !has_more;
  }

  // Whether this pattern is asked before the other one.
  bool is_before(const RoutePattern& other) const {
    return std::lexicographical_compare(segments_.begin(), segments_.end(), other.segments_.begin(),
                                        other.segments_.end(),
                                        [](const Segment& a, const Segment& b) { return a.kind < b.kind; });
  }
  // Whether both fit the same paths.
  bool is_like(const RoutePattern& other) const {
    return std::equal(segments_.begin(), segments_.end(), other.segments_.begin(), other.segments_.end(),
                      [](const Segment& a, const Segment& b) {
                        return a.kind == b.kind && (a.kind != Kind::literal || a.text == b.text);
                      });
  }
  const std::string& text() const { return text_; }

 private:
  enum class Kind : std::uint8_t { literal, one, rest };
  struct Segment {
    Kind kind;
    std::string text;  // of a literal; else the name
  };

  Segment segment(std::string_view text, bool is_last) const {
    if (text.find_first_of("{}") == std::string_view::npos) {
      if (text.empty() && !is_last) refuse("has an empty segment");
      return {Kind::literal, std::string(text)};
    }
    if (!text.starts_with('{') || !text.ends_with('}')) refuse("has a segment that is only partly in braces");
    text = text.substr(1, text.size() - 2);
    const bool is_rest = text.ends_with("...");
    if (is_rest) text.remove_suffix(3);
    if (is_rest && !is_last) refuse("goes on behind a segment that takes all the rest");
    if (!is_token(text) || text.find_first_of("{}") != std::string_view::npos)
      refuse("has a segment without a name");
    for (const Segment& other : segments_) {
      if (other.kind != Kind::literal && other.text == text) refuse("has the same name twice");
    }
    return {is_rest ? Kind::rest : Kind::one, std::string(text)};
  }
  [[noreturn]] void refuse(const char* why) const {
    throw std::invalid_argument("the route '" + text_ + "' " + why);
  }

  std::string text_;
  std::vector<Segment> segments_;
};

}  // namespace detail

template <typename Action>
class Router {
 public:
  struct Found {
    const Action* action = nullptr;
    PathParameters parameters = {};
    std::uint32_t status = 0;  // without an action: 404, 405, or 204 for OPTIONS
    std::string allow = {};    // the field Allow of 405 and 204
  };

  // Throws std::invalid_argument, with a sentence, if the pattern is none, or the route exists.
  void on(std::string_view method, std::string_view pattern, Action action) {
    Route route{std::string(method), detail::RoutePattern(pattern), std::move(action)};
    if (!detail::is_token(method))
      throw std::invalid_argument("the route '" + route.pattern.text() + "' has no method");
    for (const Route& other : routes_) {
      if (other.method != method || !other.pattern.is_like(route.pattern)) continue;
      throw std::invalid_argument("there are two routes for " + route.method + " '" + other.pattern.text() +
                                  "'");
    }
    const auto place =
        std::upper_bound(routes_.begin(), routes_.end(), route,
                         [](const Route& a, const Route& b) { return a.pattern.is_before(b.pattern); });
    routes_.insert(place, std::move(route));
  }

  Found find(const Request& request) const {
    const std::string_view method = request.method_name;
    Found found;
    const bool is_like_get = method == "HEAD" || method == "CONNECT";
    if (take(request.path, method, found) || (is_like_get && take(request.path, "GET", found))) return found;
    std::vector<std::string_view> methods;
    for (const Route& route : routes_) {
      PathParameters parameters;
      if (route.pattern.match(request.path, parameters)) add(methods, route.method);
    }
    found.status = methods.empty() ? 404 : method == "OPTIONS" ? 204 : 405;
    if (!methods.empty()) found.allow = allow(std::move(methods));
    return found;
  }

 private:
  struct Route {
    std::string method;
    detail::RoutePattern pattern;
    Action action;
  };

  bool take(std::string_view path, std::string_view method, Found& found) const {
    for (const Route& route : routes_) {
      PathParameters parameters;
      if (route.method != method || !route.pattern.match(path, parameters)) continue;
      found.action = &route.action;
      found.parameters = std::move(parameters);
      return true;
    }
    return false;
  }
  static void add(std::vector<std::string_view>& methods, std::string_view method) {
    if (std::find(methods.begin(), methods.end(), method) == methods.end()) methods.push_back(method);
  }
  static std::string allow(std::vector<std::string_view> methods) {
    if (std::find(methods.begin(), methods.end(), "GET") != methods.end()) add(methods, "HEAD");
    add(methods, "OPTIONS");
    std::sort(methods.begin(), methods.end());
    std::string text;
    for (const std::string_view method : methods) text += (text.empty() ? "" : ", ") + std::string(method);
    return text;
  }

  std::vector<Route> routes_;  // those that are asked first stand first
};

}  // namespace sluice::kit
