// swift-tools-version: 5.9
// hf2mlx for Swift. Needs libhf2mlx: brew install hf2mlx, or cmake --install with PKG_CONFIG_PATH set to PREFIX/lib/pkgconfig.
import PackageDescription

let package = Package(
    name: "Hf2mlx",
    platforms: [.macOS(.v13)],
    products: [.library(name: "Hf2mlx", targets: ["Hf2mlx"])],
    targets: [
        .systemLibrary(name: "CHf2mlx", pkgConfig: "hf2mlx", providers: [.brew(["hf2mlx"]), .apt(["libhf2mlx-dev"])]),
        .target(name: "Hf2mlx", dependencies: ["CHf2mlx"]),
        .testTarget(name: "Hf2mlxTests", dependencies: ["Hf2mlx"]),
    ]
)
