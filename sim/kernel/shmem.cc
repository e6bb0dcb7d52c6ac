#include "sim/kernel/shmem.hh"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "sim/kernel/kernel.hh"
#include "sim/kernel/uaccess.hh"

namespace wakepath::kernel {

namespace {

constexpr long kPage = shmem_inode_info::kPage;
constexpr int kSealExec = 0x20;                                // F_SEAL_EXEC, since Linux 6.3
constexpr long kMostBytes = std::numeric_limits<long>::max();  // MAX_LFS_FILESIZE

shmem_inode_info* SHMEM_I(inode* inode) { return container_of(inode, &shmem_inode_info::vfs_inode); }

MaySleep<long> shmem_file_read_iter(Kernel& k, file* file, void* buffer, std::size_t size) {
  Call call(k, Fn::shmem_file_read_iter, file);
  const shmem_inode_info* info = SHMEM_I(file->f_inode);
  auto* out = static_cast<char*>(buffer);
  long left = std::clamp(info->i_size - file->f_pos, 0L, static_cast<long>(size));
  auto room = static_cast<long>(user_bytes(k, buffer, static_cast<std::size_t>(left)));
  if (left > 0 && room == 0) co_return call.result(k.error(Rule::bad_address, file));
  for (long at = file->f_pos, end = at + room; at < end;) {
    long now = std::min(kPage - at % kPage, end - at);
    auto page = info->i_pages.find(at / kPage);
    if (page == info->i_pages.end())
      std::memset(out, 0, static_cast<std::size_t>(now));
    else
      std::memcpy(out, page->second->data() + at % kPage, static_cast<std::size_t>(now));
    out += now;
    at += now;
  }
  file->f_pos += room;
  co_return call.result(room);
}

using PagePlace = decltype(shmem_inode_info::i_pages)::iterator;

/// The page for a position, made where there is a hole; end(): no memory.
PagePlace shmem_write_begin(Kernel& k, shmem_inode_info* info, long at) {
  auto page = info->i_pages.find(at / kPage);
  if (page != info->i_pages.end() || k.allocation_fails()) return page;
  ++info->alloced;
  return info->i_pages.emplace(at / kPage, std::make_unique<shmem_inode_info::Page>()).first;
}

/// Page after page, as they are made; also the one for which no data is there. How many bytes were written, -ENOMEM or
/// -EFAULT.
long generic_perform_write(Kernel& k, shmem_inode_info* info, const char* data, long at, long size) {
  Call call(k, Fn::generic_perform_write, info);
  long begin = at;
  for (long end = at + size; at < end;) {
    auto page = shmem_write_begin(k, info, at);
    if (page == info->i_pages.end()) return call.result(at > begin ? at - begin : k.error(Rule::no_memory, info));
    auto wanted = static_cast<std::size_t>(std::min(kPage - at % kPage, end - at));
    auto now = static_cast<long>(user_bytes(k, data, wanted));
    if (now == 0) return call.result(at > begin ? at - begin : k.error(Rule::bad_address, info));
    std::memcpy(page->second->data() + at % kPage, data, static_cast<std::size_t>(now));
    data += now;
    at += now;
    if (at > info->i_size) info->i_size = at;
  }
  return call.result(at - begin);
}

MaySleep<long> shmem_file_write_iter(Kernel& k, file* file, const void* data, std::size_t size) {
  Call call(k, Fn::shmem_file_write_iter, file);
  if (size == 0) co_return call.result(0);
  shmem_inode_info* info = SHMEM_I(file->f_inode);
  long pos = (file->f_flags & O_APPEND) != 0 ? info->i_size.get() : file->f_pos.get();
  if (pos == kMostBytes) co_return call.result(k.error(Rule::file_too_large, file));
  auto length = static_cast<long>(std::min(size, static_cast<std::size_t>(kMostBytes - pos)));
  long written = generic_perform_write(k, info, static_cast<const char*>(data), pos, length);
  if (written > 0) file->f_pos = pos + written;
  co_return call.result(written);
}

/// mapping_seek_hole_data(): where data, or a hole, begins at or behind `at`. The end counts as a hole. -1: there is
/// none; also where only the last page of all would have it, whose end is beyond what loff_t holds.
long next_hole_or_data(const shmem_inode_info* info, long at, bool data) {
  constexpr long kLastPage = kMostBytes / kPage;
  auto page = info->i_pages.lower_bound(at / kPage);
  if (data) return page == info->i_pages.end() || page->first == kLastPage ? -1 : std::max(at, page->first * kPage);
  for (; page != info->i_pages.end() && page->first == at / kPage && at < info->i_size; ++page) {
    if (page->first == kLastPage) return -1;
    at = std::min(info->i_size.get(), (page->first + 1) * kPage);
  }
  return at;
}

long shmem_file_llseek(Kernel& k, file* file, long offset, int whence) {
  Call call(k, Fn::shmem_file_llseek, file);
  const shmem_inode_info* info = SHMEM_I(file->f_inode);
  if (whence == SEEK_DATA || whence == SEEK_HOLE) {
    if (offset < 0 || offset >= info->i_size) return call.result(k.error(Rule::lseek_beyond_the_end, file));
    offset = next_hole_or_data(info, offset, whence == SEEK_DATA);
    bool found = offset >= 0 && (whence == SEEK_HOLE || offset < info->i_size);
    if (!found) return call.result(k.error(Rule::lseek_beyond_the_end, file));
  } else {
    long from = whence == SEEK_CUR ? file->f_pos.get() : whence == SEEK_END ? info->i_size.get() : 0;
    if (__builtin_add_overflow(from, offset, &offset) || offset < 0)
      return call.result(k.error(Rule::lseek_out_of_range, file));
  }
  file->f_pos = offset;
  return call.result(offset);
}

void shmem_evict_inode(Kernel& k, inode* inode) {
  Call call(k, Fn::shmem_evict_inode, inode);
  SHMEM_I(inode)->i_pages.clear();
  SHMEM_I(inode)->alloced = 0u;
}

inode* __shmem_get_inode(Kernel& k, super_block* sb) {
  Call call(k, Fn::__shmem_get_inode, sb);
  inode* inode = alloc_inode(k, sb);
  if (inode == nullptr) return nullptr;
  inode->i_ino = k.next_ino++;
  inode->i_mode = record::Hex{S_IFREG | 0777};
  SHMEM_I(inode)->seals = static_cast<u32>(F_SEAL_SEAL);
  return inode;
}

/// 0 or an error.
long __shmem_file_setup(Kernel& k, const std::string& name, file** out) {
  Call call(k, Fn::__shmem_file_setup, nullptr);
  inode* inode = __shmem_get_inode(k, k.shm_mnt->mnt_sb);
  if (inode == nullptr) return call.result(k.error(Rule::no_file_inode, nullptr));
  auto flags = static_cast<file_flags>(O_RDWR);
  *out = alloc_file_pseudo(k, inode, k.shm_mnt, name.c_str(), flags, &shmem_file_operations);
  if (*out != nullptr) return call.result(0);
  iput(k, inode);
  return call.result(k.error(why_no_file(k), nullptr));
}

long shmem_file_setup(Kernel& k, const std::string& name, file** out) {
  Call call(k, Fn::shmem_file_setup, nullptr);
  return call.result(__shmem_file_setup(k, name, out));
}

}  // namespace

const file_operations shmem_file_operations = {shmem_file_read_iter, shmem_file_write_iter, nullptr, nullptr, nullptr,
                                               shmem_file_llseek};
const super_operations shmem_ops = {shmem_alloc_inode, shmem_destroy_inode, shmem_free_in_core_inode, shmem_evict_inode,
                                    shmem_statfs};
const file_system_type shmem_fs_type = {"tmpfs", TMPFS_MAGIC, &shmem_ops, nullptr};

void shmem_inode_info::describe(record::KindBuilder<shmem_inode_info>& b) {
  b.field(&shmem_inode_info::seals, "seals")
      .field(&shmem_inode_info::alloced, "alloced")
      .field(&shmem_inode_info::i_size, "i_size")
      .embed(&shmem_inode_info::vfs_inode, "vfs_inode", "inode", 128, 616);
}

inode* shmem_alloc_inode(Kernel& k) {
  Call call(k, Fn::shmem_alloc_inode, nullptr);
  shmem_inode_info* info = k.alloc(k.shmem_inodes);
  return info != nullptr ? &info->vfs_inode : nullptr;
}

/// Frees the file's memory policy; here no file has one.
void shmem_destroy_inode(Kernel& k, inode* inode) { Call call(k, Fn::shmem_destroy_inode, inode); }

void shmem_free_in_core_inode(Kernel& k, inode* inode) {
  Call call(k, Fn::shmem_free_in_core_inode, inode);
  k.shmem_inodes.free(SHMEM_I(inode));
}

/// Blocks and their limits are left out: here they are as many as there is memory.
void shmem_statfs(const dentry* dentry, kstatfs* out) { simple_statfs(dentry, out); }

bool is_regular(const file* file) { return file->f_op.get() == &shmem_file_operations; }

long i_size_read(inode* inode) { return SHMEM_I(inode)->i_size; }

long do_memfd_create(Kernel& k, const std::string* name, unsigned flags) {
  constexpr unsigned kNoExecSeal = 0x8, kExec = 0x10;  // MFD_NOEXEC_SEAL, MFD_EXEC, since Linux 6.3
  constexpr unsigned kKnown = MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExecSeal | kExec;
  constexpr std::size_t kLongest = 249;  // MFD_NAME_MAX_LEN
  bool both = (flags & kNoExecSeal) != 0 && (flags & kExec) != 0;
  if ((flags & ~kKnown) != 0 || both) return k.error(Rule::memfd_flags, nullptr);
  if (name == nullptr) return k.error(Rule::bad_address, nullptr);
  if (name->size() > kLongest) return k.error(Rule::memfd_name_too_long, nullptr);
  ReservedFd fd(k, (flags & MFD_CLOEXEC) != 0);
  if (fd.fd() < 0) return fd.fd();
  file* file = nullptr;
  if (long error = shmem_file_setup(k, "memfd:" + *name, &file); error != 0) return error;
  file->f_flags = static_cast<file_flags>(static_cast<u32>(file->f_flags.get()) | kLargeFile);
  if ((flags & MFD_ALLOW_SEALING) != 0) SHMEM_I(file->f_inode)->seals = 0u;
  if ((flags & kNoExecSeal) != 0) {
    file->f_inode->i_mode = record::Hex{S_IFREG | 0666};
    SHMEM_I(file->f_inode)->seals = static_cast<u32>(kSealExec);
  }
  return fd.install(file);
}

}  // namespace wakepath::kernel
