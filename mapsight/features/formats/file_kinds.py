"""The name of a file that is not read, by its bytes.

Extensions are never looked at. What is named here is sound as far as anybody
looked: it is of a kind that is not read, not damaged.
"""

from __future__ import annotations

import re

__all__ = ["PICTURES", "jpeg_process", "kind_of", "unread_kind"]

PICTURES = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "GIF": rb"GIF8[79]a",
    "WEBP": rb"RIFF....WEBP",
    "TIFF": rb"II\*\0|MM\0\*|II\+\0|MM\0\+",
    "JPEG2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "AVIF": rb"....ftypavi[fs]",
    "PPM": rb"P[1-6f]\s|PF\s",
    "BMP": rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0",
}
"""How files begin that are read; a name may have to be left out where Pillow lacks it."""

# The more particular come first.
_OTHERS = {
    "camera raw (CR2)": rb"II\*\0....CR",
    "camera raw (CR3)": rb"....ftypcrx ",
    "camera raw (CRW)": rb"II\x1a\0\0\0HEAPCCDR",
    "camera raw (ORF)": rb"II(RO|RS)|MMOR",
    "camera raw (RW2)": rb"IIU\0",
    "camera raw (RAF)": rb"FUJIFILMCCD-RAW",
    "camera raw (MRW)": rb"\0MRM",
    "camera raw (X3F)": rb"FOVb",
    "JPEG XL": rb"\xff\x0a|\0\0\0\x0cJXL ",
    "JPEG XR": rb"II\xbc",
    "HEIC": rb"....ftyp(hei|hev|mif1|msf1)",
    "QuickTime": rb"....ftypqt  |\0...(moov|mdat|wide|free|skip|pnot)",
    "MP4 audio": rb"....ftypM4[AB] ",
    "MP4": rb"....ftyp",
    "PSD": rb"8BPS\0[\x01\x02]",
    "Matroska or WebM": rb"\x1aE\xdf\xa3",
    "AVI": rb"RIFF....AVI ",
    "WAV": rb"RIFF....WAVE",
    "animated cursor": rb"RIFF....ACON",
    "CorelDRAW": rb"RIFF....CDR",
    "Windows Media": rb"0&\xb2u\x8ef\xcf\x11",
    "Flash video": rb"FLV\x01",
    "Flash": rb"[FCZ]WS[\x01-\x30]",
    "MPEG": rb"\0\0\x01[\xba\xb3]",
    "MPEG transport stream": rb"G.{187}G.{187}G",
    "Ogg": rb"OggS",
    "FLAC": rb"fLaC",
    "MP3": rb"ID3[\x02-\x04]|\xff[\xe3\xf2\xf3\xfa\xfb]",
    "MIDI": rb"MThd",
    "ZIP": rb"PK(\x03\x04|\x05\x06|\x07\x08)",
    "7z": rb"7z\xbc\xaf\x27\x1c",
    "RAR": rb"Rar!\x1a\x07",
    "gzip": rb"\x1f\x8b\x08",
    "bzip2": rb"BZh[1-9](1AY&SY|\x17rE8P\x90)",
    "xz": rb"\xfd7zXZ\0",
    "Zstandard": rb"\x28\xb5\x2f\xfd",
    "LZ4": rb"\x04\x22\x4d\x18",
    "compress (.Z)": rb"\x1f\x9d",
    "tar": rb".{257}ustar",
    "cabinet": rb"MSCF\0\0\0\0",
    "ar archive": rb"!<arch>\n",
    "ISO 9660": rb".{32769}CD001",
    "PDF": rb"\s*%PDF-?",
    "PostScript": rb"%!PS|\xc5\xd0\xd3\xc6",
    "WMF": rb"\xd7\xcd\xc6\x9a|[\x01\x02]\0\x09\0\0[\x01\x03]",
    "EMF": rb"\x01\0\0\0.{36} EMF",
    "DjVu": rb"AT&TFORM",
    "XCF": rb"gimp xcf",
    "OpenEXR": rb"v/1\x01",
    "Radiance HDR": rb"#\?(RADIANCE|RGBE)",
    "DDS": rb"DDS \x7c",
    "KTX": rb"\xabKTX ",
    "FITS": rb"SIMPLE  =",
    "DICOM": rb".{128}DICM",
    "NIfTI": rb"\x5c\x01\0\0.{340}n[i+]1\0|\0\0\x01\x5c.{340}n[i+]1\0",
    "BPG": rb"BPG\xfb",
    "FLIF": rb"FLIF",
    "QOI": rb"qoif",
    "XV thumbnail": rb"P7 332",
    "PAM": rb"P7\s",
    "farbfeld": rb"farbfeld",
    "MNG": rb"\x8aMNG|\x8bJNG",
    "ICNS": rb"icns",
    "ICO": rb"\0\0\x01\0[^\0]\0",
    "cursor": rb"\0\0\x02\0[^\0]\0",
    "PCX": rb"\x0a[\0-\x05][\0\x01][\x01\x02\x04\x08]",
    "SGI": rb"\x01\xda[\0\x01][\x01\x02]\0[\x01-\x03]",
    "Sun raster": rb"\x59\xa6\x6a\x95",
    "XPM": rb"/\* XPM \*/",
    "XBM": rb"#define \w+_width",
    "Parquet": rb"PAR1",
    "Arrow": rb"ARROW1",
    "Avro": rb"Obj\x01",
    "ORC": rb"ORC[\0-\x08\x0e-\x1f\x80-\xff]",
    "SQLite": rb"SQLite format 3\0",
    "HDF5": rb"\x89HDF\r\n",
    "NetCDF": rb"CDF[\x01\x02\x05]",
    "NumPy": rb"\x93NUMPY",
    "TFRecord or LiteRT": rb"....TFL3",
    "ELF": rb"\x7fELF",
    "Windows program": rb"MZ.{58}..\0\0",
    "Mach-O": rb"[\xce\xcf]\xfa\xed\xfe|\xfe\xed\xfa[\xce\xcf]",
    "Java class or universal Mach-O": rb"\xca\xfe\xba\xbe",
    "WebAssembly": rb"\0asm",
    "AppleDouble (what macOS keeps beside a file)": rb"\0\x05\x16[\0\x07]",
    "macOS folder settings": rb"\0\0\0\x01Bud1",
    "OLE (older Office, Thumbs.db)": rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "font": rb"\0\x01\0\0\0.\0|OTTO|ttcf|wOF[F2]|true\0",
    "RTF": rb"\{\\rtf",
    "Git LFS pointer": rb"version https://git-lfs",
}
_MARKUP = {b"<!doctype html": "HTML", b"<html": "HTML", b"<svg": "SVG", b"<?xml": "XML"}
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_HEAD = 40_000  # ISO 9660 has its name at 32769
_JPEG_PROCESSES = {
    **dict.fromkeys((0xC0, 0xC1, 0xC2), "JPEG"),
    **dict.fromkeys((0xC3, 0xCB), "lossless JPEG"),
    **dict.fromkeys((0xC9, 0xCA), "arithmetic-coded JPEG"),
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical JPEG"),
    0xF7: "JPEG-LS",
}


def kind_of(data: bytes) -> str | None:
    """Name a file by its first bytes; None for what has no name here.

    >>> kind_of(b"PK\\x03\\x04"), kind_of(b"\\xff\\x0a"), kind_of(b"[1, 2]"), kind_of(b"\\x00")
    ('ZIP', 'JPEG XL', 'JSON', 'nothing but zero bytes')
    """
    head = bytes(data[:_HEAD])
    for table in (_OTHERS, PICTURES):
        for name, signature in table.items():
            if re.match(signature, head, re.DOTALL):
                return name
    if b"TRUEVISION-XFILE." in data[-26:]:
        return "TGA"
    return _text_kind(head[:1024]) or (None if any(head) else "nothing but zero bytes")


def unread_kind(data: bytes) -> str | None:
    """Name what a picture is that begins like one that is read, but is of a kind that is not.

    None where nothing in its header says so: then it is damaged.
    """
    if data[:2] == b"BM" and len(data) >= 34:
        return _bmp_kind(data)
    if data[:3] == b"\xff\xd8\xff":
        process, bits = jpeg_process(data)
        kind = f"{bits}-bit {process}" if bits not in (0, 8) else process
        return kind if kind not in ("", "JPEG") else None
    if re.match(rb"PF\s", data):
        return "PFM in colour"
    return None


def jpeg_process(data: bytes) -> tuple[str, int]:
    """Return how a JPEG is coded and its bits per sample; ("", 0) where it does not say.

    >>> jpeg_process(bytes.fromhex("ffd8 ffc3 000b 0c 0010 0010 01 01 11 00"))
    ('lossless JPEG', 12)
    """
    at = 2
    while at + 5 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _JPEG_PROCESSES:
            return _JPEG_PROCESSES[marker], data[at + 4]
        if marker in (0xDA, 0xD9):
            break
        # fill bytes, and markers without a segment
        at += 1 if marker == 0xFF else 2
        if not (marker in (0xFF, 0x01) or 0xD0 <= marker <= 0xD8):
            at += int.from_bytes(data[at : at + 2], "big")
    return "", 0


def _bmp_kind(data: bytes) -> str | None:
    header, bits = int.from_bytes(data[14:18], "little"), int.from_bytes(data[28:30], "little")
    compression = int.from_bytes(data[30:34], "little") if header >= 40 else 0
    names = {4: "BMP around a JPEG", 5: "BMP around a PNG", 11: "BMP in CMYK"}
    names |= {12: "BMP in CMYK", 13: "BMP in CMYK"}
    if compression in names:
        return names[compression]
    if header == 64 and compression in (3, 4):
        return "OS/2 BMP with Huffman or 24-bit run lengths"
    if compression == 3 and bits in (16, 24, 32):
        return "BMP with unusual bit masks"
    if bits in (2, 64) and compression == 0:
        return f"BMP of {bits} bits"
    return None


def _text_kind(head: bytes) -> str | None:
    if encoding := _UTF_16.get(head[:2]):
        text = head.decode(encoding, "ignore")
        return "UTF-16 text" if _printable(text.lstrip("\ufeff")) else None
    low = head.lower()
    for mark, name in _MARKUP.items():
        if mark in low:
            return name
    text = head.decode("utf-8", "ignore")
    if len(text.encode()) < len(head) - 3:  # a character may be cut at the end
        text = head.decode("latin-1")
    if not _printable(text.removeprefix("\ufeff")):
        return None
    if not text.removeprefix("\ufeff").strip():
        return "text of blanks"
    return (
        "JSON" if re.match(r"\ufeff?\s*[\[{]\s*([\[{\"\]}]|-?\d|true|false|null)", text) else "text"
    )


def _printable(text: str) -> bool:
    return all(c.isprintable() or c.isspace() for c in text)
