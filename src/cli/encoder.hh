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
  /// Without close(): ends ffmpeg, and no film is left.
  ~Encoder();

  /// Where the film stands while it is made.
  [[nodiscard]] static std::string part(const std::string& path) { return path + ".part"; }

  /// `format`: "mp4", "webm" or "gif". Empty, or what is missing. An mp4 has an even width and height: the last column
  /// and row go. The film is written beside `path`, and takes its place in close(): a failure leaves what was there.
  [[nodiscard]] std::string open(const std::string& path, const std::string& format, int width, int height, int rate);
  /// False when ffmpeg takes no more.
  [[nodiscard]] bool add(std::span<const unsigned char> picture);
  /// Waits for it, and puts the film in its place. Empty, or how it failed.
  [[nodiscard]] std::string close();

 private:
  int wait_for_end();

  std::string path_;
  int pipe_ = -1;
  pid_t process_ = 0;
};

}  // namespace wakepath::cli
