"""Control laws: each proposes a glucose infusion rate from the samples; none knows a pump or a limit."""
