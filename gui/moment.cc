#include "gui/fields.hh"
#include "gui/stage.hh"

namespace wakepath::gui {

using trace::Object;
using trace::ObjectId;

Moment look_around(const ViewModel& model) {
  Moment moment;
  const auto& world = model.world();
  auto is = [&](const char* name) { return model.trace().schema().kind_id(name).value_or(0xFFFF); };
  const trace::KindId fd = is("fd"), request = is("tcp_request_sock"), skb = is("sk_buff");
  for (const trace::Task& task : world.tasks())
    if (task.object != 0) moment.task_of[task.object] = task.id;
  std::vector<ObjectId> requests, skbs;
  for (const Object& object : world.objects()) {
    if (!object.alive) continue;
    Reader read(model.trace(), world, object);
    if (object.kind == fd) {
      if (ObjectId file = read.target("file")) moment.descriptors[file].push_back(read.value("fd"));
    } else if (object.kind == request) {
      requests.push_back(object.id);
    } else if (object.kind == skb) {
      skbs.push_back(object.id);
    }
    if (model.chains().role(object.kind) == Role::kShared) continue;  // hash tables are no queues
    for (const trace::Members& list : object.lists)
      for (const trace::Ref& member : list.refs) moment.queued_in.try_emplace(member.object, object.id);
  }
  for (ObjectId id : requests) {
    if (moment.queued_in.contains(id)) continue;
    Reader read(model.trace(), world, world.objects()[id]);
    ObjectId listener = read.target("rsk_listener");
    if (listener == 0) listener = read.target("skc_listener");
    moment.half_open[listener].push_back(id);
  }
  for (ObjectId id : skbs)
    if (!moment.queued_in.contains(id)) moment.in_flight.push_back(id);
  return moment;
}

}  // namespace wakepath::gui
