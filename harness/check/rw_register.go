package check

func judgeRegisters(h history, l level, v *Verdict) {}
