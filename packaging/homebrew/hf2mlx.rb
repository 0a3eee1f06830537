# The formula for Homebrew. HOMEPAGE, URL and SHA256 are filled in by fill.sh when a version is released; until then
# `brew install --HEAD` of a clone's formula builds what is on main.
class Hf2mlx < Formula
  desc "Takes Hugging Face models to MLX, natively and in constant memory"
  homepage "@HOMEPAGE@"
  url "@URL@"
  sha256 "@SHA256@"
  license "MIT"
  head "@HOMEPAGE@.git", branch: "main"

  depends_on "cli11" => :build
  depends_on "cmake" => :build
  depends_on "ninja" => :build
  depends_on "nlohmann-json" => :build
  depends_on "pkgconf" => :test
  depends_on "fmt"
  depends_on "highway"
  depends_on "ncurses"
  depends_on "openssl@3"
  depends_on "protobuf"
  depends_on "tbb"
  depends_on "yaml-cpp"

  uses_from_macos "curl", since: :ventura # 7.85 or newer

  def install
    system "cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DHF2MLX_TESTS=OFF", "-DBUILD_SHARED_LIBS=ON", *std_cmake_args
    system "cmake", "--build", "build"
    system "cmake", "--install", "build"
    pkgshare.install "examples/tiny-qwen3"
  end

  test do
    system bin/"hf2mlx", "convert", pkgshare/"tiny-qwen3", "out", "-q", "--quiet"
    assert_path_exists testpath/"out/model.safetensors"
    (testpath/"version.c").write <<~C
      #include <hf2mlx/hf2mlx.h>
      #include <stdio.h>
      int main(void) { return puts(hf2mlx_version()) < 0; }
    C
    flags = shell_output("pkg-config --cflags --libs hf2mlx").chomp.split
    system ENV.cc, "version.c", *flags, "-o", "version"
    assert_equal version.to_s, shell_output("./version").chomp unless build.head?
  end
end
