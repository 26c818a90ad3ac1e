"""Picture files: what is known before anything that reads them is imported."""

SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
    *(".pgm", ".ppm", ".pbm", ".pnm"),
}
UNREAD = {
    *(".heic", ".heif", ".avif", ".jp2", ".psd", ".tga", ".exr", ".hdr", ".dng", ".nef", ".cr2"),
    *(
        ".svg",
        ".dcm",
        ".ico",
        ".eps",
        ".jxl",
        ".apng",
        ".mpo",
        ".j2k",
        ".jpf",
        ".jpx",
        ".jpm",
        ".jxr",
    ),
    *(
        ".pfm",
        ".pam",
        ".dib",
        ".pcx",
        ".qoi",
        ".dds",
        ".sgi",
        ".icns",
        ".hif",
        ".heics",
        ".xcf",
        ".ras",
    ),
    *(
        ".arw",
        ".cr3",
        ".raf",
        ".orf",
        ".rw2",
        ".raw",
        ".pef",
        ".srw",
        ".nii",
        ".mha",
        ".fits",
        ".fit",
    ),
}
ON_ERROR = ("raise", "skip")  # what becomes of a file that cannot be read
FORMATS = "PNG, JPEG, WebP, GIF, BMP, TIFF or PNM"
