"""Rivals that are not part of this project, each built or installed by the bench itself."""
