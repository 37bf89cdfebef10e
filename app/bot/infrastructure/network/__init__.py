"""How the lab is reached: HTTP, TCP, UDP, TLS, SSH and programs."""
