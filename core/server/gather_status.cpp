#include "server/gather_status.h"

#include <unistd.h>

#include <map>
#include <string>

#include "base/monotonic_clock.h"

namespace sluice {

ServerView gather_status(const WorkerGroup& group, const ModuleRollout& rollout, const WorkerGroup* next,
                         const std::vector<WorkerProcess*>& retired, std::uint64_t started_ms) {
  const std::uint64_t now = monotonic_ms();
  ServerView view{
      ::getpid(), now - started_ms, {}, rollout.in_force(), places(group.plan(), rollout.in_force()), {}, {},
      {}};
  view.listening = group.urls(0);
  view.several_folders = group.plan().settings.plugins.size() > 1;
  view.events.assign(rollout.events().all().begin(), rollout.events().all().end());
  const auto add = [&](const WorkerProcess& worker, std::string_view state) {
    view.workers.push_back({worker.index(), worker.pid(), now - worker.started_ms(),
                            worker.ready() ? state : "starting", &worker.stats(), worker.granted()});
  };
  for (const WorkerProcess* worker : group.workers()) add(*worker, "serving");
  if (next != nullptr) {
    for (const WorkerProcess* worker : next->workers()) add(*worker, "ready");
  }
  for (const WorkerProcess* worker : retired) add(*worker, "ending");
  return view;
}

std::vector<CertificateView> with_sites(const std::vector<CertificateFacts>& certificates,
                                        const ServingPlan& plan) {
  std::map<std::string, std::vector<std::string>> sites;  // by the file of a certificate
  for (const SitePlan& site : plan.sites) {
    for (const std::size_t index : site.certificates)
      sites[plan.certificates[index].files.chain].push_back(site.label);
  }
  std::vector<CertificateView> views;
  views.reserve(certificates.size());
  for (const CertificateFacts& facts : certificates) views.push_back({facts, sites[facts.file]});
  return views;
}

}  // namespace sluice
