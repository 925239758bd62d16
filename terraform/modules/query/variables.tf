variable "name" {
  description = "The workgroup's name."
  type        = string
}

variable "results_bucket" {
  description = "The bucket that Athena writes query results to."
  type        = string
}

variable "scan_limit_bytes" {
  description = "Bytes that one query may scan before Athena cancels it; Athena takes no less than 10 MB."
  type        = number

  validation {
    condition     = var.scan_limit_bytes >= 10485760
    error_message = "scan_limit_bytes must be at least 10485760 (10 MB)."
  }
}

variable "force_destroy" {
  description = "Whether destroying the workgroup deletes its history of queries."
  type        = bool
}
