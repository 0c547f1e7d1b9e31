"""DICOM series to NIfTI, believed only when as many slices come out as went in."""

from trust_node.imaging.conversion.dcm2niix import Dcm2niix
from trust_node.imaging.conversion.errors import ConversionError
from trust_node.imaging.conversion.outcome import Conversion
from trust_node.imaging.conversion.scans import NIFTI, RECORD, ScanConverter, Slices

__all__ = ["NIFTI", "RECORD", "Conversion", "ConversionError", "Dcm2niix", "ScanConverter", "Slices"]
