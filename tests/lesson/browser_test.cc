// The page of a scenario in a real browser, without a window: it comes up from a file, follows links to its steps, and
// answers keys and questions. A script of the test's own is put behind the page's; what it finds, it writes into the
// document, which the browser prints.
#include <gmock/gmock.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>
#include <memory>

#include "src/cli/commands.hh"
#include "tests/temporary_folder.hh"

namespace wakepath::lesson {
namespace {

using ::testing::HasSubstr;

bool chromium_is_here() { return std::system("command -v chromium > /dev/null 2>&1") == 0; }

class Browser : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!chromium_is_here()) GTEST_SKIP() << "chromium is not installed";
    ASSERT_EQ(cli::export_lesson("tests/lesson/story.yaml", folder_ / "lesson.html"), 0);
  }

  /// What `script` has found in the page at `link`.
  std::string shown(const std::string& link, const std::string& script) {
    std::ifstream in(folder_ / "lesson.html");
    std::string html{std::istreambuf_iterator<char>(in), {}};
    const std::size_t end = html.rfind("</body>");
    html.insert(
        end,
        "<pre id=found></pre><script>const found = []; const see = text => found.push(text);\n"
        "const key = name => document.body.dispatchEvent(new KeyboardEvent('keydown', {key: name, bubbles: true}));\n" +
            script + "\ndocument.getElementById('found').textContent = found.join('; ');</script>");
    std::ofstream(folder_ / "driven.html") << html;
    const std::string profile = (folder_ / "profile").string();
    const std::string command =
        "HOME=" + profile + " timeout 50 chromium --headless --disable-gpu --disable-dev-shm-usage " +
        (geteuid() == 0 ? "--no-sandbox " : "") + "--no-first-run --user-data-dir=" + profile +
        " --virtual-time-budget=2000 --dump-dom 'file://" + (folder_ / "driven.html").string() + link + "' 2>/dev/null";
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "re"), pclose);
    std::string out;
    std::array<char, 65536> block;
    while (std::size_t got = fread(block.data(), 1, block.size(), pipe.get())) out.append(block.data(), got);
    const std::size_t begin = out.find("<pre id=\"found\">");
    return begin == std::string::npos ? "no document" : out.substr(begin, out.find("</pre>", begin) - begin + 6);
  }

  test::TemporaryFolder folder_;
};

TEST_F(Browser, OpensAtTheStepOfALink) {
  const std::string dom = shown("#step=6",
                                "see(document.querySelector('#words h2').textContent);"
                                "see(document.querySelector('#words pre').textContent);"
                                "see(document.querySelectorAll('#picture svg').length + ' picture');"
                                "see(document.querySelector('#picture svg').getAttribute('role'));");
  EXPECT_THAT(dom, HasSubstr("Step 6 of 22; server: epoll_wait(ep, 8, -1); 1 picture; img"));
}

TEST_F(Browser, OpensAtAMark) {
  EXPECT_THAT(shown("#mark=woken", "see(document.querySelector('#words pre').textContent);"),
              HasSubstr(">server: returns 1 [{EPOLLIN, lfd}]</pre>"));
}

TEST_F(Browser, StepsForwardAndBackByKeysAndSpeaksBothLanguages) {
  const std::string dom =
      shown("",
            "key('ArrowRight'); key('ArrowRight'); key('ArrowLeft'); see(document.getElementById('where').textContent);"
            "key('l'); see(document.documentElement.lang); see(document.getElementById('title').textContent);"
            "key('End'); see(location.hash); key('Home'); see(document.getElementById('back').disabled);");
  EXPECT_THAT(dom, HasSubstr("1 / 22; zh; connect() 唤醒睡在 epoll_wait() 里的线程; #step=20; true"));
}

TEST_F(Browser, JudgesAnAnswerAndSaysWhy) {
  const std::string answer =
      "document.querySelectorAll('form input')[%]"
      ".click(); document.querySelector('form button').click();"
      "see(document.querySelector('form p.good, form p.bad').className);"
      "see(document.querySelector('form').lastChild.textContent);"
      "see(document.querySelector('#foot').textContent);";
  auto choosing = [&](const char* which) { return std::string(answer).replace(answer.find('%'), 1, which); };
  const std::string right = shown("#step=6", choosing("1"));
  EXPECT_THAT(right, HasSubstr("good; A listening socket carries no data; tcp_poll() looks at its accept queue.; "));
  EXPECT_THAT(right, HasSubstr("Answered right: 1 / 2"));
  EXPECT_THAT(shown("#step=6", choosing("0")), HasSubstr("bad; A listening socket carries no data"));
}

TEST_F(Browser, SavesTheAnswersThatGradeReads) {
  const std::string dom =
      shown("#step=6",
            "document.querySelectorAll('form input')[1].click();"
            "document.querySelector('form button').click();"
            "see(document.getElementById('save').textContent); see(JSON.stringify(answers('one')));");
  EXPECT_THAT(dom, HasSubstr("Save my answers; {\"wakepath\":1,\"story\":\"story.yaml\",\"student\":\"one\","
                             "\"answers\":{\"10\":\"2\"}}"));
}

TEST_F(Browser, SavesTheNameThatWasPicked) {
  const std::string dom =
      shown("#step=20",
            "document.querySelector('form input[value=client]').click();"
            "document.querySelector('form button').click();"
            "see(document.querySelector('form p.good, form p.bad').className); see(JSON.stringify(answers('one')));");
  EXPECT_THAT(dom, HasSubstr("good; {\"wakepath\":1,\"story\":\"story.yaml\",\"student\":\"one\","
                             "\"answers\":{\"22\":\"client\"}}"));
}

}  // namespace
}  // namespace wakepath::lesson
