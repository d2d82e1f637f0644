"""Mapsight: image classification, ranking and reverse search by map-reduce."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent

# What a cluster node needs; everything else is an extra.
NODE = [
    "ai-edge-litert>=1.2,<3",  # runs MobileNet at 80+ pictures/s per core, 59 MB instead of 1.3 GB
    "fsspec>=2024.2",  # one way to open local, HDFS, S3 and HTTP paths
    "mrjob>=0.7.4,<0.8",  # the map-reduce jobs themselves
    "numpy>=1.26,<3",
    "pillow>=11.3,<14",
    "pyarrow>=15,<27",
    "requests>=2.31,<3",  # WebHDFS, where nodes have no libhdfs
    # mrjob 0.7.4 imports modules that newer Pythons no longer have
    'setuptools<81; python_version >= "3.12"',  # distutils, pkg_resources
    'standard-pipes; python_version >= "3.13"',
    'tomli>=2; python_version < "3.11"',  # tomllib
]
MODEL = ["tensorflow>=2.16,<3"]  # builds the model file, on the driver's machine only
DRIVER = [
    "jinja2>=3.1,<4",  # the report's pages, with autoescape
    "matplotlib>=3.8,<4",  # the report's plots
    "pandas>=2.1,<4",  # result tables for people
    "tqdm>=4.66,<5",  # progress bars
]
SERVE = [
    "fastapi>=0.115,<1",  # the API and its description
    "prometheus-client>=0.20,<1",
    "python-multipart>=0.0.18,<1",  # pictures that a browser sends
    "uvicorn>=0.30,<1",
]
EMR = [
    # of s3fs; it pins botocore, so it comes first: else pip tries boto3 after boto3 for minutes
    "aiobotocore>=2.13,<4",
    "s3fs>=2024.6,<2027",  # S3 for the workspace and for tasks
    "mrjob[aws]>=0.7.4,<0.8",
]
DEV = [
    "duckdb>=1.1,<2",  # opens what export writes
    "httpx>=0.27,<1",  # a client for the server
    "hypothesis>=6.100,<7",
    "imagecodecs>=2024.1",  # writes what Pillow cannot: JPEG-LS, 12 bits, TIFF's other codecs
    "imagehash>=4.3,<5",  # reference for the perceptual hash
    "moto[ec2,emr,iam,s3,server]>=5.1,<6",  # an AWS account on loopback
    "mypy>=1.10,<3",
    "openapi-spec-validator>=0.7,<1",  # what the server says of itself
    "opencv-python-headless>=4.9,<6",  # another reader of PNG and BMP
    "playwright>=1.45,<2",  # a browser, driven
    "psutil>=5.9,<8",  # processes that a test looks at
    "pytest>=8,<10",
    "pytest-xdist>=3.5,<4",  # the tests on both cores
    "ruff>=0.6,<1",
    "scikit-learn>=1.4,<2",  # reference for metrics and exact search
    "scipy>=1.12,<2",  # reference for filters and intervals
    "tifffile>=2024.1",  # writes every kind of TIFF, and reads them independently
]

FAISS = ["faiss-cpu>=1.8,<2"]  # mapsight export --format faiss

FORMATS = [
    # HEIC, HEIF; its wheels bundle libheif and libde265 (LGPL) and x265 (GPL)
    "pillow-heif>=1.0,<2",
    "pillow-jxl-plugin>=1.3,<2",  # JPEG XL; GPL
]

APPLICATION = (
    "driver/**/*.py",
    "driver/data/*.json",
    "mr_jobs/*.py",
    "mrjob.conf",
    "model_cache/README.md",
    "model_cache/models.toml",
    # the bundled catalogue: what draws its pictures, and the model trained on them
    "examples/draw_catalogue.py",
    "examples/catalogue_art/*.py",
    "examples/catalogue/model.*",
)


class Build(build_py):
    """Put what stands beside the library into it: names like `driver` belong to everybody."""

    def run(self) -> None:
        """Collect the wheel's files; an editable installation reads the checkout."""
        if self.editable_mode:
            return super().run()
        shutil.rmtree(self.build_lib, ignore_errors=True)  # modules of before the last move
        super().run()
        for path in (path for pattern in APPLICATION for path in sorted(HERE.glob(pattern))):
            target = Path(self.build_lib, "mapsight/_app", path.relative_to(HERE))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        return None


def description() -> str:
    """Return the README without links to files of the checkout, which an index cannot follow."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"!\[[^]]*\]\((?!https?:)[^)]*\)\n*", "", text)
    return re.sub(r"\[([^]]*)\]\((?!https?:)[^)]*\)", r"\1", text)


version = re.search(r'__version__ = "(.+)"', (HERE / "mapsight/__init__.py").read_text())
assert version

setup(
    name="mapsight",
    version=version[1],
    description=__doc__.strip(),
    long_description=description(),
    long_description_content_type="text/markdown",
    author="The Mapsight developers",
    license="Apache-2.0",
    keywords=["image classification", "image search", "duplicates", "map-reduce", "Hadoop"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)),
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Topic :: System :: Distributed Computing",
    ],
    python_requires=">=3.10",
    packages=find_packages(include=["mapsight", "mapsight.*"]),
    package_data={
        "mapsight": [
            "data/*.csv",
            "data/*.txt",
            "templates/*",
            "serve/page/*.*",
            "serve/page/*/*.js",
        ]
    },
    cmdclass={"build_py": Build},
    install_requires=NODE,
    extras_require={
        "model": MODEL,
        "driver": DRIVER,
        "serve": SERVE,
        "kerberos": ["requests-kerberos>=0.14,<1"],  # WebHDFS of a secure cluster, on the driver
        "emr": EMR,
        "faiss": FAISS,
        "formats": FORMATS,
        "dev": MODEL + DRIVER + SERVE + EMR + FAISS + DEV,
    },
    entry_points={"console_scripts": ["mapsight = mapsight.running:command"]},
)
