"""Asking the warehouse as its reader: what is asked, what may go wrong, and the proof that nothing else can be done."""
