"""SOAP: contracts, the guard in front of Spyne, codecs and faults. Never imports TensorFlow."""

from soapsvc.soap import compat as compat  # before any module here imports Spyne
