#include "control/control_commands.h"

#include <unistd.h>

#include <fmt/core.h>
#include <utility>

#include "base/log.h"
#include "control/control_socket.h"

namespace sluice {
namespace {

Unexpected stops() {
  return fail("the server is stopping");
}

}  // namespace

Result<void> ControlCommands::open(EventLoop& loop, const Settings& settings, Actions actions,
                                   ControlTimes times) {
  if (settings.control == kNoControl) return {};
  actions_ = std::move(actions);
  const bool named = settings.control != kOwnControl;
  const std::string path =
      named ? settings.control : fmt::format("{}/{}.sock", settings.control_folder, ::getpid());
  const auto ready = named ? Result<void>() : prepare_control_folder(settings.control_folder);
  if (ready && !named) running_servers(settings.control_folder);  // removes sockets of killed servers
  auto opened = ready.and_then([&] { return ControlServer::open(loop, path, commands(), times); });
  if (opened) {
    server_ = std::move(*opened);
    return {};
  }
  if (named) return Unexpected(opened.error());
  log(LogLevel::warning, "there is no control socket, so sluice status and the like cannot ask this server: " +
                             opened.error().message);
  return {};
}

std::vector<ControlCommand> ControlCommands::commands() {
  const auto reload = [this](ControlTicket ticket, const std::string&) -> std::optional<ControlAnswer> {
    if (stopping_) return stops();
    actions_.want_reload();
    askers_.push_back(ticket);
    return std::nullopt;
  };
  const auto stop = [this](ControlTicket ticket, const std::string&) -> std::optional<ControlAnswer> {
    stoppers_.push_back(ticket);
    if (!stopping_) actions_.stop();
    return std::nullopt;
  };
  const auto without_text = [](const Result<void>& done) { return done.map([] { return std::string(); }); };
  return {
      {"reload", reload},
      {"stop", stop, false},  // the drain limit of the settings bounds it
      {"status", [this](ControlTicket, const std::string&) { return actions_.status(); }},
      {"status-json", [this](ControlTicket, const std::string&) { return actions_.status_json(); }},
      {"metrics", [this](ControlTicket, const std::string&) { return actions_.metrics(); }},
      {"certificates", [this](ControlTicket, const std::string&) { return actions_.certificates(); }},
      {"certificates-json", [this](ControlTicket, const std::string&) { return actions_.certificates_json(); }},
      {"module enable",
       [this, without_text](ControlTicket ticket, const std::string& module) -> std::optional<ControlAnswer> {
         if (stopping_) return stops();
         actions_.enable(module, [without_text, later = answer_later(ticket)](const Result<void>& done) {
           later(without_text(done));
         });
         return std::nullopt;
       }},
      {"module disable",
       [this, without_text](ControlTicket, const std::string& module) {
         return without_text(actions_.disable(module));
       }},
      {"explain",
       [this](ControlTicket ticket, const std::string& query) -> std::optional<ControlAnswer> {
         if (stopping_) return stops();
         actions_.explain(query, answer_later(ticket));
         return std::nullopt;
       }},
  };
}

std::function<void(const ControlAnswer&)> ControlCommands::answer_later(ControlTicket ticket) {
  singles_.push_back(ticket);
  return [this, ticket](const ControlAnswer& answer) {
    std::erase(singles_, ticket);
    server_->answer(ticket, answer);
  };
}

void ControlCommands::close_for_child() {
  if (server_ != nullptr) server_->close_for_child();
}

void ControlCommands::reload_begins() {
  waiters_ = std::exchange(askers_, {});
}

void ControlCommands::server_stops() {
  stopping_ = true;
  for (auto* waiting : {&askers_, &waiters_, &singles_}) {
    for (const ControlTicket ticket : std::exchange(*waiting, {})) server_->answer(ticket, stops());
  }
}

void ControlCommands::server_ended() {
  if (server_ == nullptr) return;
  server_->end_listening();
  for (const ControlTicket ticket : std::exchange(stoppers_, {})) server_->answer(ticket, "stopped\n");
}

void ControlCommands::reload_ended(const ControlAnswer& answer) {
  for (const ControlTicket ticket : std::exchange(waiters_, {})) server_->answer(ticket, answer);
}

}  // namespace sluice
