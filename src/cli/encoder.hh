#pragma once

#include <sys/types.h>

#include <span>
#include <string>

namespace wakepath::cli {

/// A film that ffmpeg writes from raw pictures (RGB, 8 bits each, top row first), in a process of its own.
class Encoder {
 public:
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  ~Encoder();

  /// `format`: "mp4", "webm" or "gif". Empty, or what is missing. An mp4 has an even width and height: the last column
  /// and row go.
  [[nodiscard]] std::string open(const std::string& path, const std::string& format, int width, int height, int rate);
  /// False when ffmpeg takes no more.
  [[nodiscard]] bool add(std::span<const unsigned char> picture);
  /// Waits for it. Empty, or how it failed.
  [[nodiscard]] std::string close();

 private:
  int pipe_ = -1;
  pid_t process_ = 0;
};

}  // namespace wakepath::cli
