"""SOAP: contracts, the guard in front of Spyne, codecs and faults. Never imports TensorFlow."""
