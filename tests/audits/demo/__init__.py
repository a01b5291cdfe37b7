"""Tests of the embedded lab; a package, so that its file names may occur elsewhere too."""
