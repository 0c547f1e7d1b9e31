"""DICOMweb (PS3.18) over the archive: searching, retrieving and rendering, project by project."""
