#include "src/service/context.hh"

namespace wakepath::service {

Contexts::~Contexts() {
  for (auto& chunk : chunks_) delete[] chunk.load();
}

Context* Contexts::reserve(Handle& handle) {
  os::Lock hold(lock_);
  Context* context = nullptr;
  if (!free_.empty()) {
    context = &at(free_.back());
    free_.pop_back();
  } else {
    const size_t index = made_.load();
    if (index >= kMost) return nullptr;
    auto& chunk = chunks_[index / kChunk];
    if (chunk.load() == nullptr) chunk.store(new Context[kChunk]);
    context = &chunk.load()[index % kChunk];
    context->place = static_cast<uint32_t>(index);
    made_.store(index + 1, std::memory_order_release);
  }
  handle = (context->generation++ & 0xFFFF) << 16 | (context->place + 1);
  return context;
}

void Contexts::publish(Context& context, Handle handle) {
  os::WordLock hold(os_, context.lock);
  context.handle.store(handle);
}

Context* Contexts::find(Handle handle) const {
  const size_t place = handle & 0xFFFF;
  if (place == 0 || place > made()) return nullptr;
  Context& context = at(place - 1);
  return context.handle.load() == handle ? &context : nullptr;
}

void Contexts::release(Context& context) {
  os::Lock hold(lock_);
  free_.push_back(context.place);
}

}  // namespace wakepath::service
