"""`trustflow ops`: what operators see and do. Plain functions that any UI may call, and a thin command for each."""
