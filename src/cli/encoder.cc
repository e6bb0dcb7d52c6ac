#include "src/cli/encoder.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

extern char** environ;

namespace wakepath::cli {

namespace {

std::vector<std::string> words_for(const std::string& path, const std::string& format, int width, int height,
                                   int rate) {
  std::vector<std::string> words = {"ffmpeg",
                                    "-hide_banner",
                                    "-loglevel",
                                    "error",
                                    "-y",
                                    "-f",
                                    "rawvideo",
                                    "-pix_fmt",
                                    "rgb24",
                                    "-s",
                                    fmt::format("{}x{}", width, height),
                                    "-framerate",
                                    std::to_string(rate),
                                    "-i",
                                    "pipe:0"};
  const auto add = [&](std::initializer_list<const char*> more) {
    words.insert(words.end(), more.begin(), more.end());
  };
  if (format == "mp4")
    add({"-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2", "-c:v", "libx264", "-crf", "18", "-preset", "veryfast", "-tune",
         "animation", "-pix_fmt", "yuv420p", "-movflags", "+faststart"});
  else if (format == "webm")
    add({"-c:v", "libvpx-vp9", "-crf", "28", "-b:v", "0", "-deadline", "realtime", "-cpu-used", "6", "-pix_fmt",
         "yuv444p"});
  else  // the palette of each picture that differs: few colours, and text stays sharp
    add({"-filter_complex", "split[a][b];[a]palettegen=stats_mode=diff[p];[b][p]paletteuse=dither=none"});
  add({"-f", format.c_str()});
  words.push_back("file:" + path);
  return words;
}

}  // namespace

Encoder::~Encoder() {
  if (process_ == 0) return;
  kill(process_, SIGKILL);
  (void)wait_for_end();
}

std::string Encoder::open(const std::string& path, const std::string& format, int width, int height, int rate) {
  path_ = path;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fmt::format("no pipe to ffmpeg: {}", std::strerror(errno));
  std::vector<std::string> words = words_for(part(path), format, width, height, rate);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
  const int error = posix_spawnp(&process_, "ffmpeg", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[0]);
  pipe_ = ends[1];
  if (error == 0) return "";
  process_ = 0;
  ::close(std::exchange(pipe_, -1));
  unlink(part(path).c_str());
  return error == ENOENT ? fmt::format("found no ffmpeg, which writes .{} (package ffmpeg); .png needs none", format)
                         : fmt::format("ffmpeg cannot be started: {}", std::strerror(error));
}

bool Encoder::add(std::span<const unsigned char> picture) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // an ffmpeg that has ended is an error of write()
  while (!picture.empty()) {
    const ssize_t put = write(pipe_, picture.data(), picture.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) break;
    picture = picture.subspan(static_cast<std::size_t>(put));
  }
  std::signal(SIGPIPE, before);
  return picture.empty();
}

int Encoder::wait_for_end() {
  ::close(std::exchange(pipe_, -1));
  int status = 0;
  while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = 0;
  if (status != 0) unlink(part(path_).c_str());
  return status;
}

std::string Encoder::close() {
  const int status = wait_for_end();
  if (status == 0 && rename(part(path_).c_str(), path_.c_str()) == 0) return "";
  if (status == 0) return fmt::format("cannot be written: {}", std::strerror(errno));
  return fmt::format("ffmpeg failed ({})", WIFEXITED(status) ? fmt::format("status {}", WEXITSTATUS(status))
                                                             : fmt::format("signal {}", WTERMSIG(status)));
}

}  // namespace wakepath::cli
