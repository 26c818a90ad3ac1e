"""Picture files: what is known before anything that reads them is imported."""

SUFFIXES = {
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
    *(".pgm", ".ppm", ".pbm", ".pnm"),
}
UNREAD = {
    *(".heic", ".heics", ".heif", ".hif", ".avif", ".jp2", ".j2k", ".jpf", ".jpx", ".jpm"),
    *(".jxl", ".jxr", ".mpo", ".apng", ".psd", ".xcf", ".tga", ".pcx", ".dib", ".ico"),
    *(".icns", ".dds", ".sgi", ".ras", ".qoi", ".pam", ".pfm", ".exr", ".hdr", ".svg"),
    *(".eps", ".dcm", ".nii", ".mha", ".fit", ".fits", ".raw", ".dng", ".nef", ".cr2"),
    *(".cr3", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw"),
}
ON_ERROR = ("raise", "skip")  # what becomes of a file that cannot be read
FORMATS = "PNG, JPEG, WebP, GIF, BMP, TIFF or PNM"
