"""Mapsight: image classification, ranking and reverse search by map-reduce."""

import re
from pathlib import Path

from setuptools import find_packages, setup

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
    "psutil>=5.9,<8",  # finds what a dead run left running
    "tqdm>=4.66,<5",  # progress bars
]
EMR = [
    # of s3fs; it pins botocore, so it comes first: else pip tries boto3 after boto3 for minutes
    "aiobotocore>=2.13,<4",
    "s3fs>=2024.6,<2027",  # S3 for the workspace and for tasks
    "mrjob[aws]>=0.7.4,<0.8",
]
DEV = [
    "hypothesis>=6.100,<7",
    "imagecodecs>=2024.1",  # writes what Pillow cannot: JPEG-LS, 12 bits, TIFF's other codecs
    "imagehash>=4.3,<5",  # reference for the perceptual hash
    "moto[ec2,emr,iam,s3,server]>=5.1,<6",  # an AWS account on loopback
    "mypy>=1.10,<3",
    "opencv-python-headless>=4.9,<6",  # another reader of PNG and BMP
    "pytest>=8,<10",
    "pytest-xdist>=3.5,<4",  # the tests on both cores
    "ruff>=0.6,<1",
    "scikit-learn>=1.4,<2",  # reference for metrics and exact search
    "scipy>=1.12,<2",  # reference for filters and intervals
    "tifffile>=2024.1",  # writes every kind of TIFF, and reads them independently
]

FAISS = ["faiss-cpu>=1.8,<2"]  # mapsight export --format faiss

# The bundled catalogue: what draws its pictures, and the model trained on them.
EXAMPLES = [
    (f"share/mapsight/{folder}", sorted(str(p.relative_to(HERE)) for p in HERE.glob(pattern)))
    for folder, pattern in (
        ("examples", "examples/draw_catalogue.py"),
        ("examples/catalogue_art", "examples/catalogue_art/*.py"),
        ("examples/catalogue", "examples/catalogue/model.*"),
    )
]

version = re.search(r'__version__ = "(.+)"', (HERE / "mapsight/__init__.py").read_text())
assert version

setup(
    name="mapsight",
    version=version[1],
    description=__doc__.strip(),
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["mapsight*", "driver*", "mr_jobs", "model_cache"]),
    package_data={
        "mapsight": ["data/*.csv", "templates/*"],
        "model_cache": ["models.toml", "README.md"],
        "driver": ["data/figures.json"],
    },
    data_files=[("share/mapsight", ["mrjob.conf"]), *EXAMPLES],
    install_requires=NODE,
    extras_require={
        "model": MODEL,
        "driver": DRIVER,
        "kerberos": ["requests-kerberos>=0.14,<1"],  # WebHDFS of a secure cluster, on the driver
        "emr": EMR,
        "faiss": FAISS,
        "dev": MODEL + DRIVER + EMR + FAISS + DEV,
    },
    entry_points={"console_scripts": ["mapsight = driver.run:command"]},
)
